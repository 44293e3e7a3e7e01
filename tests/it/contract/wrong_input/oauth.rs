//! Wrong requests to the token endpoints and to client registration: errors of OAuth's own form (RFC 6749 section 5.2).

use serde_json::{Value, json};

use crate::support::rest::{Answer, Credentials, client};
use crate::support::sandbox::administrator;
use crate::support::{DatabaseKind, Sandbox};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const REGISTER: &str = "/client-registration/v0.17/register";

/// Content type and body; what they lack is told by the first word.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (FORM, Vec::new()),
        (FORM, b"grant_type=".to_vec()),
        (FORM, b"grant_type=password&grant_type=password".to_vec()),
        (FORM, b"grant_type=%ff%fe".to_vec()),
        (FORM, b"grant_type=%00".to_vec()),
        (FORM, [b"grant_type=client_credentials&scope=".to_vec(), vec![b'x'; 2 << 20]].concat()),
        (FORM, "a=1&".repeat(5000).into_bytes()),
        (FORM, vec![0xff; 100]),
        (JSON, b"{\"grant_type\":".to_vec()),
        (JSON, b"[]".to_vec()),
        (JSON, b"null".to_vec()),
        (JSON, b"{\"grant_type\":{\"a\":1},\"token\":[1],\"clientName\":{}}".to_vec()),
        (JSON, [b"{\"a\":".repeat(20_000), b"1".to_vec(), b"}".repeat(20_000)].concat()),
        ("text/xml", b"<grant_type/>".to_vec()),
        ("multipart/form-data; boundary=x", b"--x".to_vec()),
    ]
}

async fn send(sandbox: &Sandbox, path: &str, credentials: &Credentials, kind: &str, body: Vec<u8>) -> Answer {
    let request = sandbox.rest(credentials.clone()).request(reqwest::Method::POST, path);
    Answer::of(request.header("content-type", kind).body(body)).await
}

fn is_oauth_error(answer: &Answer) -> bool {
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    (400..500).contains(&answer.status) && body["error"].as_str().is_some_and(|error| !error.is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_to_the_token_endpoints_are_refused_in_oauths_form() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let application = sandbox.subscriber().create_application("Phone", "Unlimited").await;
    let keys = sandbox.subscriber().generate_keys(&application, "PRODUCTION").await;
    let owner = Credentials::Basic(keys.consumer_key.clone(), keys.consumer_secret.clone());
    let stranger = Credentials::Basic("nobody".to_owned(), "wrong".to_owned());
    let mut complaints = Vec::new();
    for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", REGISTER] {
        let known = if path == REGISTER { administrator("admin") } else { owner.clone() };
        for credentials in [&known, &stranger, &Credentials::None] {
            for (kind, body) in bodies() {
                let shown: String = String::from_utf8_lossy(&body).chars().take(40).collect();
                let answer = send(&sandbox, path, credentials, kind, body).await;
                if !is_oauth_error(&answer) {
                    complaints.push(format!("{path} {kind} {shown}: {} {}", answer.status, answer.text));
                }
            }
        }
    }
    let good =
        json!({"clientName": "tool", "owner": "admin", "grantType": "password", "callbackUrl": "", "saasApp": true});
    for (field, value) in [
        ("clientName", Value::Null),
        ("clientName", json!("")),
        ("clientName", json!("x".repeat(10_000))),
        ("clientName", json!(["a"])),
        ("owner", json!("nobody")),
        ("owner", json!({"a": 1})),
        ("grantType", json!(7)),
        ("grantType", json!("x".repeat(100_000))),
        ("callbackUrl", json!([1])),
        ("callbackUrl", json!("x".repeat(100_000))),
        ("saasApp", json!("maybe")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let shown: String = body[field].to_string().chars().take(40).collect();
        let answer = send(&sandbox, REGISTER, &administrator("admin"), JSON, body.to_string().into_bytes()).await;
        if !is_oauth_error(&answer) {
            complaints.push(format!("{REGISTER} with {field} {shown}: {} {}", answer.status, answer.text));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    let ready = Answer::of(client().get(format!("{}/health/ready", sandbox.management_url()))).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    // The client itself still works.
    sandbox.subscriber().application_token(&keys).await;
    sandbox.stop().await;
}
