//! `make bench-propagation`: how fast a deployment is acknowledged and a revocation refused by ten gateways, each a
//! process of its own, with two traffic managers, a key manager, a publisher and a developer portal over PostgreSQL, all on
//! one machine. Prints a table and writes JSON. Figures depend on the machine: compare them within one run only.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::postgres::Postgres;
use support::report;
use support::site::Site;

const DEPLOYS: usize = 200;
const REVOCATIONS: usize = 200;
const GATEWAYS: [&str; 10] = ["gw01", "gw02", "gw03", "gw04", "gw05", "gw06", "gw07", "gw08", "gw09", "gw10"];

/// A gateway, and a connection that stays open.
struct Gateway {
    base: String,
    client: reqwest::Client,
}

impl Gateway {
    async fn status(&self, path: &str, token: &str) -> u16 {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    /// The moment at which a call was first answered so.
    async fn until(&self, path: &str, token: &str, status: u16) -> Instant {
        while self.status(path, token).await != status {}
        Instant::now()
    }
}

/// From the request until all gateways have acknowledged.
async fn deploy(site: &Site, number: usize) -> (String, Duration) {
    // Nobody listens there: 502 says that a call passed.
    let (id, revision) = site.api(&format!("bench{number}"), &["Unlimited"], "http://127.0.0.1:1", &json!({})).await;
    let began = Instant::now();
    let deployment = site.deploy(&id, &revision).await;
    let took = began.elapsed();
    assert_eq!(deployment["deployedGatewayCount"], json!(GATEWAYS.len()), "{deployment}");
    (id, took)
}

/// From the key manager's acknowledgement until the last gateway refuses the token.
async fn revoke(site: &Site, gateways: &[Gateway], keys: &Value, path: &str) -> Duration {
    let token = site.token(keys).await;
    join_all(gateways.iter().map(|gateway| gateway.until(path, &token, 502))).await;
    site.oauth(keys, "revoke", &[("token", &token)]).await;
    let began = Instant::now();
    let refused = join_all(gateways.iter().map(|gateway| gateway.until(path, &token, 401))).await;
    refused.into_iter().max().unwrap().saturating_duration_since(began)
}

/// Minimum, median, 99th percentile and maximum in milliseconds.
fn summary(samples: Vec<Duration>) -> Value {
    report::percentiles(samples, &[("min", 0.0), ("median", 0.5), ("p99", 0.99), ("max", 1.0)])
}

fn row(what: &str, figures: &Value) {
    println!(
        "| {what} | {} | {} | {} | {} | {} |",
        figures["samples"], figures["min"], figures["median"], figures["p99"], figures["max"]
    );
}

#[tokio::main]
async fn main() {
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    let site = Site::start(&postgres, &["tm1", "tm2"], &GATEWAYS).await;
    let gateways = GATEWAYS.map(|name| Gateway {
        base: site.fleet.gateway_url(name),
        client: reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap(),
    });
    let mut deploys = Vec::new();
    let mut last = String::new();
    for number in 0..DEPLOYS {
        let (id, took) = deploy(&site, number).await;
        deploys.push(took);
        last = id;
    }
    site.publish(&last).await;
    let keys = site.subscribed_keys(&last, ["Bench", "Unlimited"], "Unlimited").await;
    let path = format!("/bench{}/1/x", DEPLOYS - 1);
    let mut revocations = Vec::new();
    for _ in 0..REVOCATIONS {
        revocations.push(revoke(&site, &gateways, &keys, &path).await);
    }
    let (deploys, revocations) = (summary(deploys), summary(revocations));
    println!("| {} gateways, ms | samples | min | median | p99 | max |", GATEWAYS.len());
    println!("|---|---:|---:|---:|---:|---:|");
    row("deploy acknowledged by all", &deploys);
    row("revocation refused by all", &revocations);
    let report = json!({
        "gateways": GATEWAYS.len(),
        "deploy_acknowledged_by_all_ms": deploys,
        "revocation_refused_by_all_ms": revocations,
    });
    report::write("bench-propagation", &report);
}
