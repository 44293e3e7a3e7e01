//! `make bench-search`: what a person who looks for an API waits for, among 10,000 of them, measured on a release build
//! against a node in a process of its own, one call at a time. Prints a table and writes JSON. Figures depend on the
//! machine: compare them within one run only.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use support::node::{administrator, start};
use support::report;
use support::rest::{Answer, Credentials, Rest};

const APIS: usize = 10_000;
const APPLICATIONS: usize = 1000;
const SUBSCRIPTIONS: usize = 10_000;
const WARM_UPS: usize = 5;
const SAMPLES: usize = 100;
/// What p95 should stay under, in milliseconds.
const GOAL_MS: f64 = 100.0;

const PUBLISHER: &str = "/api/am/publisher/v4";
const DEVPORTAL: &str = "/api/am/devportal/v3";

/// What is measured: who asks, a name, path and query. What a query means is told by `domain::search`.
const CASES: &[(&str, &str, &str)] = &[
    ("publisher", "list, first page", "/apis?limit=25"),
    ("publisher", "list, deep page", "/apis?limit=25&offset=9000"),
    ("publisher", "list, 1000 at once", "/apis?limit=1000"),
    ("publisher", "list by name, first page", "/apis?sortBy=apiName&sortOrder=asc"),
    ("publisher", "list by name, deep page", "/apis?sortBy=apiName&sortOrder=desc&offset=9000"),
    ("publisher", "list by version, deep page", "/apis?sortBy=version&sortOrder=asc&offset=5000"),
    ("publisher", "list by status, deep page", "/apis?sortBy=status&sortOrder=asc&offset=5000"),
    ("publisher", "name with wildcard", "/apis?query=name:Swift*%20name:*Orders*"),
    ("publisher", "tag", "/apis?query=tag:internal"),
    ("publisher", "tag, deep page", "/apis?query=tag:internal&offset=500"),
    ("publisher", "several keys", "/apis?query=tag:payments%20status:published%20version:1.0.0%20team:red"),
    ("publisher", "several values", "/apis?query=tag:beta%20tag:iot%20tag:maps%20name:smart"),
    ("publisher", "words", "/apis?query=orders"),
    ("publisher", "content", "/apis?query=content:in%20real%20time"),
    ("publisher", "no result", "/apis?query=name:nothinglikethis"),
    ("publisher", "search, id of name and version", "/search?query={exact}"),
    ("publisher", "search, words", "/search?query=orders"),
    ("publisher", "search, content", "/search?query=content:history%20of%20payments"),
    ("devportal", "list, first page", "/apis?limit=25"),
    ("devportal", "list, deep page", "/apis?limit=25&offset=7000"),
    ("devportal", "name with wildcard", "/apis?query=name:Smart*"),
    ("devportal", "tag", "/apis?query=tag:internal"),
    ("devportal", "several keys", "/apis?query=tag:payments%20version:1.0.0%20description:europe"),
    ("devportal", "words", "/apis?query=orders"),
    ("devportal", "search, all", "/search"),
    ("devportal", "search, words", "/search?query=payments%20europe"),
    ("devportal", "search, words and keys", "/search?query=orders%20tag:internal%20version:1.0.0"),
    ("devportal", "search, no result", "/search?query=nothinglikethis"),
    ("devportal", "tags", "/tags"),
    ("anybody", "list, first page", "/apis?limit=25"),
    ("anybody", "search, words", "/search?query=payments%20europe"),
    ("anybody", "tags", "/tags?limit=1000"),
];

fn seed(home: &std::path::Path) -> Duration {
    let began = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .arg("--home")
        .arg(home)
        .args(["seed", "--apis", &APIS.to_string(), "--applications", &APPLICATIONS.to_string()])
        .args(["--subscriptions", &SUBSCRIPTIONS.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    began.elapsed()
}

/// Times of one call after another, on a connection that stays, and the number of things that it finds.
async fn measure(http: &reqwest::Client, rest: &Rest, path: &str) -> (Vec<Duration>, u64) {
    let mut samples = Vec::new();
    let mut total = 0;
    for number in 0..WARM_UPS + SAMPLES {
        let request = http.request(Method::GET, format!("{}{path}", rest.base));
        let request = match &rest.credentials {
            Credentials::Bearer(token) => request.bearer_auth(token),
            _ => request,
        };
        let began = Instant::now();
        let answer = Answer::of(request).await.expect(200);
        if number >= WARM_UPS {
            samples.push(began.elapsed());
        }
        total = answer.json()["pagination"]["total"].as_u64().unwrap();
    }
    (samples, total)
}

#[tokio::main]
async fn main() {
    let home = tempfile::tempdir().unwrap();
    let seeded = seed(home.path());
    println!("{APIS} APIs, {APPLICATIONS} applications, {SUBSCRIPTIONS} subscriptions seeded in {seeded:.1?}");
    let node = start(home.path());
    let admin = administrator(&node).await;
    let anybody = Rest::new(admin.base.clone(), Credentials::None);
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let first = admin.get(&format!("{PUBLISHER}/apis?limit=1&offset=4000")).await.expect(200).json();
    let text = |name: &str| first["list"][0][name].as_str().unwrap().to_owned();
    let exact = format!("name:%22{}%22%20version:%22{}%22", text("name"), text("version"));
    let mut cases: Vec<Value> = Vec::new();
    println!("{:<10} {:<32} {:>7} {:>8} {:>8} {:>8}", "who", "what", "found", "p50 ms", "p95 ms", "p99 ms");
    for (who, what, path) in CASES {
        let (rest, base) = match *who {
            "publisher" => (&admin, PUBLISHER),
            "devportal" => (&admin, DEVPORTAL),
            _ => (&anybody, DEVPORTAL),
        };
        let path = format!("{base}{}", path.replace("{exact}", &exact));
        let (samples, found) = measure(&http, rest, &path).await;
        let mut case = report::percentiles(samples, &[("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]);
        let mark = if case["p95"].as_f64().unwrap() < GOAL_MS { "" } else { "  over the goal" };
        let ms = ["p50", "p95", "p99"].map(|name| format!("{:>8.1}", case[name].as_f64().unwrap())).join(" ");
        println!("{who:<10} {what:<32} {found:>7} {ms}{mark}");
        let named = [("who", json!(who)), ("what", json!(what)), ("path", json!(path)), ("found", json!(found))];
        case.as_object_mut().unwrap().extend(named.map(|(name, value)| (name.to_owned(), value)));
        cases.push(case);
    }
    let report = json!({
        "apis": APIS,
        "seed_seconds": seeded.as_secs_f64(),
        "ready_ms": node.ready_after.as_secs_f64() * 1000.0,
        "goal_p95_ms": GOAL_MS,
        "cases": cases,
    });
    report::write("bench-search", &report);
}
