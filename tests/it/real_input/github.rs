//! GitHub's own definition: more than 1,000 operations in 13 MB.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::Value;

use crate::support::actors::properties;
use crate::support::prepared::DEFINITIONS;
use crate::support::{DatabaseKind, Sandbox};

const VERBS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];
/// Calls at a time.
const CALLS_MAX: usize = 16;

/// One call that the definition allows, or one that it does not.
struct Call {
    verb: Method,
    path: String,
}

/// `/a/{b}` as `/a/b-7`: a value of its own for each call, which no literal segment equals.
fn filled(template: &str, number: usize) -> String {
    let mut path = String::new();
    for part in template.split_inclusive('}') {
        match part.split_once('{') {
            Some((literal, name)) => {
                path.push_str(literal);
                path.push_str(&format!("{}-{number}", name.trim_end_matches('}')));
            }
            None => path.push_str(part),
        }
    }
    path
}

/// Whether a call of `path`, filled in for another template, is one of `template` too.
fn matches(template: &str, path: &str) -> bool {
    let same = |(own, other): (&str, &str)| own.contains('{') || own == other;
    template.split('/').count() == path.split('/').count() && template.split('/').zip(path.split('/')).all(same)
}

/// A call for each operation, and for each path one with a verb that it does not have; read from the document without
/// the code under test.
fn calls(document: &Value) -> (Vec<Call>, Vec<Call>) {
    let paths = document["paths"].as_object().unwrap();
    let call = |verb: &str, template: &str, number| Call {
        verb: Method::from_bytes(verb.to_uppercase().as_bytes()).unwrap(),
        path: filled(template, number),
    };
    let (mut allowed, mut other) = (Vec::new(), Vec::new());
    for (template, item) in paths {
        for verb in VERBS.into_iter().filter(|verb| item.get(verb).is_some()) {
            allowed.push(call(verb, template, allowed.len()));
        }
        let path = filled(template, other.len());
        let is_absent = |verb: &&str| paths.iter().all(|(own, item)| item.get(verb).is_none() || !matches(own, &path));
        other.extend(
            ["put", "patch", "delete", "post"]
                .iter()
                .find(|verb| is_absent(verb))
                .map(|verb| call(verb, template, other.len())),
        );
    }
    (allowed, other)
}

/// Makes all calls, some at a time, and gives each one's status in their order.
async fn make(client: &reqwest::Client, base: &str, token: &str, calls: &[Call]) -> Vec<u16> {
    let requests = calls.iter().enumerate().map(|(number, call)| {
        let url = format!("{base}{}?call={number}", call.path);
        let request = client.request(call.verb.clone(), url).bearer_auth(token);
        async move { request.send().await.unwrap().status().as_u16() }
    });
    futures_util::stream::iter(requests).buffered(CALLS_MAX).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_of_github_reaches_its_place_at_the_back_end() {
    let Some(path) = DEFINITIONS.path("octokit/generated/api.github.com.json") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let (allowed, other) = calls(&document);
    assert!(allowed.len() > 1000, "only {} operations are there", allowed.len());
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let publisher = sandbox.publisher();

    let start = Instant::now();
    let properties = properties("GitHub", "/github", &["Unlimited"], &format!("{}/base", sandbox.backend.url()));
    let api = publisher.import(&text, &properties).await.expect(201).json();
    let told = |what: &str| println!("{what} after {:?}", start.elapsed());
    told("imported");
    assert_eq!(api["operations"].as_array().unwrap().len(), allowed.len());
    let id = api["id"].as_str().unwrap();
    let revision = publisher.create_revision(id).await;
    told("frozen in a revision");
    publisher.deploy(id, &revision).await.expect(201);
    publisher.change_lifecycle(id, "Publish").await.expect(200);
    publisher.wait_until_deployed(id).await;
    told("deployed");
    let shown = publisher.get(&format!("/apis/{id}/swagger")).await.expect(200).json();
    assert_eq!(shown["paths"].as_object().unwrap().len(), document["paths"].as_object().unwrap().len());
    assert!(other.len() > 700, "only {} paths lack a verb", other.len());
    told("shown");

    let keys = sandbox.subscriber().ready_to_call("Octocat", id, "Unlimited").await;
    let base = format!("{}/github/1.0.0", sandbox.gateway_url());
    sandbox.caller(&keys.token).wait_for(&format!("/github/1.0.0{}", allowed[0].path), 200).await;
    let before = sandbox.backend.count();
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let statuses = make(&client, &base, &keys.token, &allowed).await;
    told("called");
    let mut arrived = vec![None; allowed.len()];
    for seen in sandbox.backend.all().split_off(before) {
        let (path, number) = seen.path_and_query.split_once("?call=").unwrap();
        arrived[number.parse::<usize>().unwrap()] = Some((seen.method.clone(), path.to_owned()));
    }
    for (number, call) in allowed.iter().enumerate() {
        assert_eq!(statuses[number], 200, "{} {}", call.verb, call.path);
        let expected = (call.verb.clone(), format!("/base{}", call.path));
        assert_eq!(arrived[number].as_ref(), Some(&expected));
    }

    let before = sandbox.backend.count();
    let statuses = make(&client, &base, &keys.token, &other).await;
    for (call, status) in other.iter().zip(statuses) {
        assert_eq!(status, 405, "{} {} is not of the definition", call.verb, call.path);
    }
    assert_eq!(sandbox.backend.count(), before, "a call that is not of the definition reached the back end");
    told("done");
    sandbox.stop().await;
}
