//! Uploads and lists that are wrong, and definitions behind URLs that must not be fetched.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{PIZZA, World, properties};

const IMPORT: &str = "/api/am/publisher/v4/apis/import-openapi";
const VALIDATE: &str = "/api/am/publisher/v4/apis/validate-openapi";

fn pasta() -> Value {
    properties("Pasta", "/pasta", &["Gold"], "http://backend")
}

fn with(field: &str, value: Value) -> String {
    let mut properties = pasta();
    properties[field] = value;
    properties.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_uploads_are_refused_by_the_name_of_the_part() {
    let mut world = World::start().await;
    let inline =
        |properties: String| Form::new().text("inlineAPIDefinition", PIZZA).text("additionalProperties", properties);
    let file = |bytes: Vec<u8>| {
        let part = Part::bytes(bytes).file_name("../../../etc/passwd");
        Form::new().part("file", part).text("additionalProperties", pasta().to_string())
    };
    let deep = format!("{{\"openapi\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let forms = [
        ("no parts", Form::new(), ""),
        ("no definition", Form::new().text("additionalProperties", pasta().to_string()), "file"),
        ("two definitions", inline(pasta().to_string()).text("url", "http://example.com"), "url"),
        ("no properties", Form::new().text("inlineAPIDefinition", PIZZA), "additionalProperties"),
        ("half an object", inline("{\"name\":".to_owned()), ""),
        ("an array", inline("[]".to_owned()), ""),
        ("a name of another type", inline(with("name", json!({"a": 1}))), "name"),
        ("a long name", inline(with("name", json!("x".repeat(500)))), "name"),
        ("a context with dots", inline(with("context", json!("/../admin"))), "context"),
        ("a context that is taken", inline(with("context", json!("/pizza"))), "context"),
        ("an unknown policy", inline(with("policies", json!(["Nobody's"]))), "policies"),
        (
            "a back end that is a file",
            inline(with(
                "endpointConfig",
                json!({"endpoint_type": "http",
            "production_endpoints": {"url": "file:///etc/passwd"}}),
            )),
            "endpointConfig",
        ),
        ("an empty file", file(Vec::new()), "empty"),
        ("a file of zeros", file(vec![0; 1000]), "/: "),
        ("a file that is no text", file(vec![0xff; 1000]), "/: "),
        ("a deep file", file(deep.into_bytes()), "/: "),
        ("a picture", file(b"\x89PNG\r\n\x1a\n".to_vec()), "/: "),
    ];
    for (what, form, named) in forms {
        let request = world.request_at("POST", IMPORT).multipart(form);
        world.refuses(what, request, Some(named)).await;
    }
    for (what, kind, body) in [
        ("no boundary", "multipart/form-data", "--x"),
        ("half a form", "multipart/form-data; boundary=x", "--x\r\nContent-Dis"),
        ("JSON", "application/json", "{}"),
    ] {
        for path in [IMPORT, VALIDATE] {
            let request = world.request_at("POST", path).header("content-type", kind).body(body);
            world.refuses(&format!("{path} with {what}"), request, None).await;
        }
    }
    let large = Part::bytes(vec![b'x'; 40 << 20]).file_name("large.yaml");
    let request = world.request_at("POST", VALIDATE).multipart(Form::new().part("file", large));
    world.refuses("a file that is too large", request, None).await;
    world.end(20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_deployments_are_refused() {
    let mut world = World::start().await;
    let (api, revision) = (world.ids["apiId"].clone(), world.ids["revisionId"].clone());
    let one = json!([{"name": "Default", "vhost": "localhost"}]);
    let cases = [
        ("no revision", String::new(), one.clone(), "revisionId"),
        ("an unknown revision", format!("?revisionId={}", super::UNKNOWN), one.clone(), ""),
        ("a revision that is no id", "?revisionId=..%2F".to_owned(), one.clone(), ""),
        ("a number that is none", "?revisionNumber=one".to_owned(), one, ""),
        ("an object", format!("?revisionId={revision}"), json!({"name": "Default"}), ""),
        ("no name", format!("?revisionId={revision}"), json!([{"vhost": "localhost"}]), "name"),
        ("a name that is null", format!("?revisionId={revision}"), json!([{"name": null}]), "name"),
        ("an unknown environment", format!("?revisionId={revision}"), json!([{"name": "Mars"}]), "Mars"),
    ];
    for verb in ["deploy-revision", "undeploy-revision"] {
        for (what, query, body, named) in &cases {
            let path = format!("/api/am/publisher/v4/apis/{api}/{verb}{query}");
            let request = world.request_at("POST", &path).json(body);
            world.refuses(&format!("{verb} with {what}"), request, Some(named)).await;
        }
    }
    for query in ["", "?action=Publish", "?action=Fly&apiId=API", "?action=&apiId=API", "?action=Publish&apiId=..%2F"] {
        let path = format!("/api/am/publisher/v4/apis/change-lifecycle{}", query.replace("API", &api));
        let request = world.request_at("POST", &path);
        world.refuses(&path, request, None).await;
    }
    world.end(20).await;
}

/// What is fetched, and what not, is tested beside the guard; here, that the operations go through it and say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_behind_forbidden_urls_are_refused_and_nothing_is_fetched() {
    let mut world = World::start().await;
    let seen = world.sandbox.backend.count();
    let back_end = world.sandbox.backend.url();
    let port = back_end.rsplit(':').next().unwrap().to_owned();
    for url in [
        back_end.clone(),
        format!("http://localhost:{port}/openapi.json"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://example.com/".to_owned(),
        "http://user:secret@example.com/".to_owned(),
        "not a url".to_owned(),
        format!("http://example.com/{}", "x".repeat(100_000)),
    ] {
        for path in [IMPORT, VALIDATE] {
            let form = Form::new().text("url", url.clone()).text("additionalProperties", pasta().to_string());
            let request = world.request_at("POST", path).multipart(form);
            let shown: String = url.chars().take(60).collect();
            world.refuses(&format!("{path} of {shown}"), request, Some("url")).await;
        }
    }
    assert_eq!(world.sandbox.backend.count(), seen, "a loopback address was fetched");
    world.end(20).await;
}
