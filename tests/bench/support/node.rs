//! A release node in a process of its own, and its administrator.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rest::{Answer, Credentials, Rest, client};

pub struct Node {
    child: Child,
    pub management: Rest,
    pub gateway_url: String,
    pub ready_after: Duration,
}

impl Drop for Node {
    fn drop(&mut self) {
        // The measurement is over; how the node ends does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From `exec` until the node says that it is ready.
pub fn start(home: &std::path::Path) -> Node {
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
pub fn resident_kib(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The node's administrator with an access token.
pub async fn administrator(node: &Node) -> Rest {
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

/// Samples in milliseconds, by share of the samples that are at most as long.
pub fn percentiles(mut samples: Vec<Duration>, shares: &[(&str, f64)]) -> Value {
    samples.sort_unstable();
    let at = |share: f64| {
        let index = ((samples.len() - 1) as f64 * share).round() as usize;
        (samples[index].as_secs_f64() * 10_000.0).round() / 10.0
    };
    let mut summary: serde_json::Map<String, Value> =
        shares.iter().map(|(name, share)| ((*name).to_owned(), json!(at(*share)))).collect();
    summary.insert("samples".to_owned(), json!(samples.len()));
    Value::Object(summary)
}

/// Writes the report to `target/NAME.json`.
pub fn write_report(name: &str, report: &Value) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    std::fs::create_dir_all(folder).unwrap();
    let file = format!("{folder}/{name}.json");
    std::fs::write(&file, format!("{report:#}\n")).unwrap();
    println!("written to {file}");
}
