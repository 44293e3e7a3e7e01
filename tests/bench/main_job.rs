//! `make bench-main-job`: what a person who starts the node and deploys an API waits for, measured on a release build
//! against a node in a process of its own. Prints a table and writes JSON. Figures depend on the machine: compare them
//! within one run only.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use support::node::{Node, administrator, resident_kib, start};
use support::report;
use support::rest::{Answer, Rest, client};

const STARTS: usize = 9;
const DEPLOYS: usize = 100;
const REVOCATIONS: usize = 100;

/// Time until a GET answers `status`.
async fn until(url: &str, token: Option<&str>, status: u16) -> Duration {
    let began = Instant::now();
    loop {
        let request = client().get(url);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        if Answer::of(request).await.status == status {
            return began.elapsed();
        }
    }
}

/// From the acknowledgement of a deployment until the gateway serves it.
async fn deploy(node: &Node, admin: &Rest, number: usize) -> (String, Duration) {
    let publisher = "/api/am/publisher/v4";
    let context = format!("/bench{number}");
    let body = json!({"name": format!("Bench{number}"), "version": "1", "context": context, "policies": ["Unlimited"]});
    let id = admin.post(&format!("{publisher}/apis"), &body).await.expect(201).field("id");
    let revision = admin.post(&format!("{publisher}/apis/{id}/revisions"), &json!({})).await.expect(201).field("id");
    let path = format!("{publisher}/apis/{id}/deploy-revision?revisionId={revision}");
    admin.post(&path, &json!([{"name": "Default", "vhost": "localhost"}])).await.expect(201);
    let visible = until(&format!("{}{context}/1/x", node.gateway_url), None, 401).await;
    (id, visible)
}

/// From the acknowledgement of a revocation until the gateway refuses the token.
async fn revoke(node: &Node, keys: &Value, url: &str) -> Duration {
    let token_call = |path: &str, form: &[(&str, &str)]| {
        let url = format!("{}/oauth2/{path}", node.management.base);
        let request = client().request(Method::POST, url).form(form);
        request.basic_auth(keys["consumerKey"].as_str().unwrap(), keys["consumerSecret"].as_str())
    };
    let token = Answer::of(token_call("token", &[("grant_type", "client_credentials")])).await.expect(200);
    let token = token.field("access_token");
    // 502: the call passed, and its back end does not exist.
    until(url, Some(&token), 502).await;
    Answer::of(token_call("revoke", &[("token", &token)])).await.expect(200);
    until(url, Some(&token), 401).await
}

async fn subscribed_keys(admin: &Rest, api_id: &str) -> Value {
    let devportal = "/api/am/devportal/v3";
    let publish = format!("/api/am/publisher/v4/apis/change-lifecycle?apiId={api_id}&action=Publish");
    admin.post_empty(&publish).await.expect(200);
    let body = json!({"name": "Bench", "throttlingPolicy": "Unlimited"});
    let application = admin.post(&format!("{devportal}/applications"), &body).await.expect(201).field("applicationId");
    let body = json!({"applicationId": application, "apiId": api_id, "throttlingPolicy": "Unlimited"});
    admin.post(&format!("{devportal}/subscriptions"), &body).await.expect(201);
    let body = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]});
    admin.post(&format!("{devportal}/applications/{application}/generate-keys"), &body).await.expect(200).json()
}

fn summary(samples: Vec<Duration>) -> Value {
    report::percentiles(samples, &[("min", 0.0), ("median", 0.5), ("p99", 0.99), ("max", 1.0)])
}

#[tokio::main]
async fn main() {
    let home = tempfile::tempdir().unwrap();
    let first = start(home.path()).ready_after;
    let restarts: Vec<Duration> = (0..STARTS).map(|_| start(home.path()).ready_after).collect();
    let node = start(home.path());
    let idle_kib = resident_kib(&node);
    let admin = administrator(&node).await;
    let mut deploys = Vec::new();
    let mut last = String::new();
    for number in 0..DEPLOYS {
        let (id, visible) = deploy(&node, &admin, number).await;
        deploys.push(visible);
        last = id;
    }
    let path = format!("/api/am/publisher/v4/apis/{last}");
    let mut api = admin.get(&path).await.expect(200).json();
    api["endpointConfig"] = json!({"endpoint_type": "http", "production_endpoints": {"url": "http://127.0.0.1:1"}});
    admin.put(&path, &api).await.expect(200);
    let revision = admin.post(&format!("{path}/revisions"), &json!({})).await.expect(201).field("id");
    let target = json!([{"name": "Default", "vhost": "localhost"}]);
    admin.post(&format!("{path}/deploy-revision?revisionId={revision}"), &target).await.expect(201);
    let keys = subscribed_keys(&admin, &last).await;
    let url = format!("{}/bench{}/1/x", node.gateway_url, DEPLOYS - 1);
    let mut revocations = Vec::new();
    for _ in 0..REVOCATIONS {
        revocations.push(revoke(&node, &keys, &url).await);
    }
    let report = json!({
        "first_start_ready_ms": summary(vec![first]),
        "ready_ms": summary(restarts),
        "idle_resident_mib": idle_kib / 1024,
        "resident_after_mib": resident_kib(&node) / 1024,
        "deploy_visible_ms": summary(deploys),
        "revocation_refused_ms": summary(revocations),
    });
    println!("{report:#}");
    report::write("bench-main-job", &report);
}
