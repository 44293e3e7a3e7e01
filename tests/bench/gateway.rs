//! `make bench-gateway`: CPU per call of a gateway beside nginx, HAProxy and Envoy that pass the same calls unchecked, in
//! interleaved runs. Each proxy has one worker on one core, the load and the back end have the other; 64 connections that stay,
//! plain HTTP. The gateway checks a token, the subscription and scopes, and counts on every level; its access log is off.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::load::Caller;
use support::postgres::Postgres;
use support::site::Site;
use support::{closed_loop, governed, load, proxies, report};

const ROUNDS: usize = 9;
const RUN: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 64;
const ANSWER_BYTES: usize = 1024;

/// The core of the proxies, and that of everything else.
const PROXY_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// Bodies of calls: none, and 10 KiB.
const SCENARIOS: [(&str, usize); 2] = [("GET, 1 KiB answers", 0), ("POST of 10 KiB", 10 * 1024)];

/// What is measured: a name, the process, and its calls.
struct Subject {
    name: &'static str,
    pid: u32,
    caller: Caller,
}

fn pin(pid: u32, core: &str) {
    let status = Command::new("taskset").args(["-a", "-p", "-c", core, &pid.to_string()]).output().unwrap().status;
    assert!(status.success());
}

async fn measure(name: &str, subjects: &[Subject]) -> Value {
    let mut samples: Vec<[Vec<f64>; 2]> = subjects.iter().map(|_| Default::default()).collect();
    for round in 0..=ROUNDS {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            let [cpu, rate] = closed_loop::run(subject.pid, CONNECTIONS, RUN, || subject.caller.clone()).await;
            // The first round warms up.
            if round > 0 {
                samples[0].push(cpu);
                samples[1].push(rate);
            }
        }
    }
    let mut rows = Vec::new();
    let nginx = report::spread(samples[0][0].clone())[1];
    for (subject, [cpu, rate]) in subjects.iter().zip(samples) {
        let ([least, median, greatest], [_, rate, _]) = (report::spread(cpu), report::spread(rate));
        let ratio = (median / nginx * 100.0).round() / 100.0;
        println!("| {name} | {} | {least} | {median} | {greatest} | {ratio} | {rate:.0} |", subject.name);
        rows.push(json!({
            "scenario": name, "subject": subject.name, "cpu_us": {"least": least, "median": median, "greatest": greatest},
            "ratio_to_nginx": ratio, "calls_per_second": rate,
        }));
    }
    rows.into()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    pin(std::process::id(), LOAD_CORE);
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    let site = Site::start(&postgres, &["tm1"], &["gw1"]).await;
    let back_end = load::back_end(ANSWER_BYTES).await;
    let [free, limited] = governed::apis(&site, &format!("http://{back_end}")).await;
    for api in [&free, &limited] {
        api.until_known().await;
    }
    pin(free.pid, PROXY_CORE);
    let envoy = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/proxies/envoy");
    let proxies = proxies::start_all(back_end, &envoy, PROXY_CORE).await;
    println!("| {ROUNDS} runs of {} s | | least us | median us | greatest us | of nginx | calls/s |", RUN.as_secs());
    println!("|---|---|---:|---:|---:|---:|---:|");
    let mut rows = Vec::new();
    for (scenario, body_bytes) in SCENARIOS {
        let body = "x".repeat(body_bytes);
        let unchecked = |proxy: &proxies::Proxy| {
            let (port, path, token) = (proxy.port, "/x".to_owned(), String::new());
            Subject {
                name: proxy.name,
                pid: proxy.pid,
                caller: Caller { port, path, token, body: body.clone(), rate: None },
            }
        };
        let mut subjects: Vec<Subject> = proxies.iter().map(unchecked).collect();
        let (pid, caller) = (free.pid, free.caller(&body));
        subjects.push(Subject { name: "gateway, token and subscription", pid, caller });
        let caller = limited.caller(&body);
        subjects.push(Subject { name: "gateway, limits on every level too", pid, caller });
        rows.push(measure(scenario, &subjects).await);
    }
    report::write("bench-gateway", &Value::from(rows));
}
