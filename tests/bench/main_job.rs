//! `make bench-main-job`: what a person who starts the node and deploys an API waits for, measured on a release build
//! against a node in a process of its own. Prints a table and writes JSON. Figures depend on the machine: compare them
//! within one run only.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[path = "../it/support/rest.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod rest;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use rest::{Answer, Credentials, Rest, client};
use serde_json::{Value, json};

const STARTS: usize = 9;
const DEPLOYS: usize = 100;
const REVOCATIONS: usize = 100;

struct Node {
    child: Child,
    management: Rest,
    gateway_url: String,
    ready_after: Duration,
}

impl Drop for Node {
    fn drop(&mut self) {
        // The measurement is over; how the node ends does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From `exec` until the node says that it is ready.
fn start(home: &std::path::Path) -> Node {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .arg("--home")
        .arg(home)
        .env("GATEWRIGHT__SERVER__MANAGEMENT_PORT", "0")
        .env("GATEWRIGHT__SERVER__VERSION_PORT", "0")
        .env("GATEWRIGHT__GATEWAY__HTTP_PORT", "0")
        .env("GATEWRIGHT__GATEWAY__HTTPS_PORT", "0")
        .env("GATEWRIGHT__LOG__LEVEL", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut url = |label: &str| {
        let line = lines.find_map(|line| line.ok().filter(|line| line.trim_start().starts_with(label))).unwrap();
        let words = line.split_whitespace();
        words.filter(|word| word.contains("://")).map(str::to_owned).collect::<Vec<_>>()
    };
    let token_endpoint = url("Token service").remove(0);
    let gateway_url = url("Gateway").pop().unwrap();
    let ready_after = began.elapsed();
    std::thread::spawn(move || lines.for_each(drop));
    let basic = Credentials::Basic("admin".to_owned(), "admin".to_owned());
    let management = Rest::new(token_endpoint.trim_end_matches("/oauth2/token"), basic);
    Node { child, management, gateway_url, ready_after }
}

/// Resident memory in KiB.
fn resident_kib(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

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

async fn administrator(node: &Node) -> Rest {
    let body =
        json!({"clientName": "bench", "owner": "admin", "grantType": "password", "callbackUrl": "", "saasApp": true});
    let client_of = node.management.post("/client-registration/v0.17/register", &body).await.expect(200);
    let scopes = "apim:api_view apim:api_create apim:api_publish apim:api_manage apim:subscribe";
    let form = [("grant_type", "password"), ("username", "admin"), ("password", "admin"), ("scope", scopes)];
    let request = client()
        .post(format!("{}/oauth2/token", node.management.base))
        .basic_auth(client_of.field("clientId"), Some(client_of.field("clientSecret")))
        .form(&form);
    let token = Answer::of(request).await.expect(200).field("access_token");
    Rest::new(node.management.base.clone(), Credentials::Bearer(token))
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

/// Minimum, median, 99th percentile and maximum in milliseconds.
fn summary(mut samples: Vec<Duration>) -> Value {
    samples.sort_unstable();
    let at = |share: f64| {
        let index = ((samples.len() - 1) as f64 * share).round() as usize;
        (samples[index].as_secs_f64() * 10_000.0).round() / 10.0
    };
    json!({"min": at(0.0), "median": at(0.5), "p99": at(0.99), "max": at(1.0), "samples": samples.len()})
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
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/target/bench-main-job.json");
    std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    std::fs::write(file, format!("{report:#}\n")).unwrap();
    println!("written to {file}");
}
