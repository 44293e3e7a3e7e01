//! `make bench-throttle-cost`: CPU of a gateway per governed call with limits on every level against the same call without any,
//! in interleaved runs. Calls are plain HTTP over connections that stay, with a token, from and to the same machine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on has failed"
)]

#[path = "../it/support/faketime.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod faketime;
#[path = "../it/support/fleet.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod fleet;
#[path = "../it/support/free_port.rs"]
mod free_port;
#[expect(dead_code, reason = "only the status of a call counts here")]
mod load;
#[path = "../it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;
#[path = "../it/support/rest.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod rest;
mod site;

use std::path::Path;
use std::time::{Duration, Instant};

use load::{Call, Caller, Listener};
use postgres::Postgres;
use serde_json::{Value, json};
use site::Site;

const ROUNDS: usize = 15;
const RUN: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 16;

/// More than any run makes.
const LIMIT: u64 = 2_000_000_000;

/// Kernel ticks per second, in which the CPU time of processes is told.
const TICKS_PER_SECOND: f64 = 100.0;

/// Counts calls that passed.
struct Count(u64);

impl Listener for Count {
    fn note(&mut self, call: Call) {
        assert_eq!(call.status, 200);
        self.0 += 1;
    }
}

/// An API as it is called.
struct Subject {
    path: &'static str,
    token: String,
    port: u16,
    pid: u32,
}

impl Subject {
    fn caller(&self) -> Caller {
        Caller { port: self.port, path: self.path.to_owned(), token: self.token.clone(), rate: None }
    }

    async fn until_known(&self) {
        while load::status(&self.caller()).await != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Microseconds of CPU per call in one run.
    async fn run(&self) -> f64 {
        let (before, end) = (cpu_ticks(self.pid), Instant::now() + RUN);
        let callers: Vec<_> = (0..CONNECTIONS).map(|_| load::call(self.caller(), end, Count(0))).collect();
        let mut calls = 0;
        for caller in callers {
            calls += caller.await.unwrap().0;
        }
        (cpu_ticks(self.pid) - before) * 1_000_000.0 / TICKS_PER_SECOND / calls as f64
    }
}

/// The process that was started with this home.
fn pid(home: &Path) -> u32 {
    let home = home.to_str().unwrap().as_bytes();
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let names_home = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == home)
    };
    processes.into_iter().find(names_home).unwrap()
}

/// User and system time of a process (proc(5), fields 14 and 15).
fn cpu_ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
}

fn policy(name: &str) -> Value {
    json!({
        "policyName": name, "displayName": name, "description": "measured",
        "defaultLimit": {
            "type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "hour", "unitTime": 1, "requestCount": LIMIT},
        },
    })
}

async fn subjects(site: &Site, back_end: &str) -> [Subject; 2] {
    let mut subscription = policy("Large");
    subscription["rateLimitCount"] = json!(LIMIT);
    subscription["rateLimitTimeUnit"] = json!("sec");
    for (kind, body) in
        [("subscription", subscription), ("application", policy("LargeApp")), ("advanced", policy("LargeApi"))]
    {
        let path = format!("/api/am/admin/v4/throttling/policies/{kind}");
        site.rest("pub1").post(&path, &body).await.expect(201);
    }
    let limits = json!({
        "operations": [{"target": "/*", "verb": "GET", "throttlingPolicy": "LargeApi"}],
        "maxTps": {"production": LIMIT, "productionTimeUnit": "SECOND"},
    });
    let free = json!({"operations": [{"target": "/*", "verb": "GET", "throttlingPolicy": "Unlimited"}]});
    let mut subjects = Vec::new();
    for (name, path, more, policies) in [
        ("free", "/free/1/x", &free, ["Unlimited", "Unlimited"]),
        ("limited", "/limited/1/x", &limits, ["Large", "LargeApp"]),
    ] {
        let (api, revision) = site.api(name, &[policies[0]], back_end, more).await;
        site.deploy(&api, &revision).await;
        site.publish(&api).await;
        let keys = site.subscribed_keys(&api, [name, policies[1]], policies[0]).await;
        let (port, pid) = (site.plain_port("gw1"), pid(site.fleet.home("gw1")));
        subjects.push(Subject { path, token: site.token(&keys).await, port, pid });
    }
    subjects.try_into().ok().unwrap()
}

/// Least, median and greatest, to two digits.
fn summary(mut samples: Vec<f64>) -> [f64; 3] {
    samples.sort_unstable_by(f64::total_cmp);
    [0, samples.len() / 2, samples.len() - 1].map(|index| (samples[index] * 100.0).round() / 100.0)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    let site = Site::start(&postgres, &["tm1"], &["gw1"]).await;
    let back_end = format!("http://{}", load::back_end().await);
    let [free, limited] = subjects(&site, &back_end).await;
    for subject in [&free, &limited] {
        subject.until_known().await;
        subject.run().await;
    }
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Neither always comes first.
        let (off, on) = if round % 2 == 0 {
            (free.run().await, limited.run().await)
        } else {
            let on = limited.run().await;
            (free.run().await, on)
        };
        without.push(off);
        with.push(on);
        ratios.push(on / off);
    }
    let [without, with, ratios] = [without, with, ratios].map(summary);
    println!("| {ROUNDS} runs of {} s each, interleaved | least | median | greatest |", RUN.as_secs());
    println!("|---|---:|---:|---:|");
    for (what, [least, median, greatest]) in
        [("CPU us per call without limits", without), ("with limits on every level", with), ("ratio", ratios)]
    {
        println!("| {what} | {least} | {median} | {greatest} |");
    }
    let named = |[least, median, greatest]: [f64; 3]| json!({"least": least, "median": median, "greatest": greatest});
    let report = json!({"cpu_us_without": named(without), "cpu_us_with": named(with), "ratio": named(ratios)});
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    std::fs::create_dir_all(folder).unwrap();
    let file = format!("{folder}/bench-throttle-cost.json");
    std::fs::write(&file, format!("{report:#}\n")).unwrap();
    println!("written to {file}");
}
