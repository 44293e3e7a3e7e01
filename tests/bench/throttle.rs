//! `make bench-throttle`: what is admitted of limits from 5 to 1,000,000 per minute by 1, 2, 5 and 10 gateways with 1 and 2
//! traffic managers, each a process of its own, over PostgreSQL, all on one machine. Demand is above every limit, and either
//! spread evenly over the gateways or nine tenths of it at one of them. Prints a table, writes JSON, and fails when a window
//! admits more than its limit, or less than is promised.
//!
//! `ARGS="--gateways 2,5 --managers 2 --limits 100,1000"` measures a part of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on has failed"
)]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use support::load::{Call, Caller, Listener};
use support::postgres::Postgres;
use support::site::Site;
use support::{load, report};

const GATEWAYS: [&str; 10] = ["gw01", "gw02", "gw03", "gw04", "gw05", "gw06", "gw07", "gw08", "gw09", "gw10"];
const MANAGERS: [&str; 2] = ["tm1", "tm2"];

/// Limits per minute that are measured side by side, and the one that takes the machine for itself.
const LIMITS: [u64; 5] = [5, 100, 1_000, 10_000, 100_000];
const LARGEST: u64 = 1_000_000;

/// Calls per second without a limit, to compare with.
const UNLIMITED_RATE: f64 = 200.0;

const WINDOW: Duration = Duration::from_secs(60);

/// Load begins so long before the measured window, and ends so long after.
const MARGIN: Duration = Duration::from_secs(2);

/// Windows are their owner's, whose clock tells milliseconds: a call so near to either end may be of the window beside it.
const EDGE: Duration = Duration::from_millis(5);

/// How demand is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Demand {
    Even,
    Skewed,
}

impl Demand {
    const ALL: [Self; 2] = [Self::Even, Self::Skewed];

    fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Skewed => "skewed",
        }
    }

    /// The part of the demand that comes to a gateway.
    fn share(self, gateway: usize, gateways: usize) -> f64 {
        match self {
            _ if gateways == 1 => 1.0,
            Self::Even => 1.0 / gateways as f64,
            Self::Skewed if gateway == 0 => 0.9,
            Self::Skewed => 0.1 / (gateways - 1) as f64,
        }
    }
}

/// What is measured together. `None` is the comparison without a limit.
type Subject = (Demand, Option<u64>);

/// What a subject's calls came to within the window.
#[derive(Debug)]
struct Seen {
    window: [Instant; 2],
    offered: u64,
    /// Answered with 200, sent and answered well within the window, so surely of it.
    admitted: u64,
    /// Sent or answered at one of its ends, see [`EDGE`]: of one of two windows.
    astride: u64,
    undecided: u64,
    /// Microseconds of admitted calls.
    took: Vec<u32>,
}

impl Listener for Seen {
    fn note(&mut self, call: Call) {
        let [begin, end] = self.window;
        let is_sent = (begin..end).contains(&call.sent);
        let is_within = call.sent >= begin + EDGE && call.answered < end - EDGE;
        let touches = call.sent < end + EDGE && call.answered >= begin - EDGE;
        self.offered += u64::from(is_sent);
        match call.status {
            200 if is_within => {
                self.admitted += 1;
                self.took.push(u32::try_from((call.answered - call.sent).as_micros()).unwrap_or(u32::MAX));
            }
            200 => self.astride += u64::from(touches),
            429 => {}
            503 => self.undecided += u64::from(is_sent),
            other => panic!("a call was answered with {other}"),
        }
    }
}

impl Seen {
    fn new(window: [Instant; 2]) -> Self {
        Self { window, offered: 0, admitted: 0, astride: 0, undecided: 0, took: Vec::new() }
    }

    fn add(&mut self, other: Self) {
        self.offered += other.offered;
        self.admitted += other.admitted;
        self.astride += other.astride;
        self.undecided += other.undecided;
        self.took.extend(other.took);
    }

    fn p99_us(&mut self) -> u32 {
        self.took.sort_unstable();
        let index = (self.took.len().saturating_sub(1)) * 99 / 100;
        self.took.get(index).copied().unwrap_or_default()
    }
}

/// One deployment with an application for each subject.
struct Round {
    site: Site,
    gateways: usize,
    tokens: BTreeMap<Subject, String>,
}

impl Round {
    async fn start(postgres: &Postgres, managers: usize, gateways: usize, back_end: &str) -> Self {
        let site = Site::start(postgres, &MANAGERS[..managers], &GATEWAYS[..gateways]).await;
        let limits = LIMITS.iter().chain([&LARGEST]);
        let mut policies = vec!["Unlimited".to_owned()];
        for limit in limits.clone() {
            let name = format!("Per{limit}");
            let body = json!({
                "policyName": name, "displayName": name, "description": "measured",
                "defaultLimit": {
                    "type": "REQUESTCOUNTLIMIT",
                    "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": limit},
                },
            });
            let path = "/api/am/admin/v4/throttling/policies/subscription";
            site.rest("pub1").post(path, &body).await.expect(201);
            policies.push(name);
        }
        let names: Vec<&str> = policies.iter().map(String::as_str).collect();
        let (api, revision) = site.api("bench", &names, back_end, &json!({})).await;
        site.deploy(&api, &revision).await;
        site.publish(&api).await;
        let mut round = Self { site, gateways, tokens: BTreeMap::new() };
        for demand in Demand::ALL {
            for limit in limits.clone().map(|limit| Some(*limit)).chain([None]) {
                let policy = limit.map_or("Unlimited".to_owned(), |limit| format!("Per{limit}"));
                let name = format!("{} {policy}", demand.name());
                let keys = round.site.subscribed_keys(&api, [&name, "Unlimited"], &policy).await;
                let token = round.site.token(&keys).await;
                round.tokens.insert((demand, limit), token);
            }
        }
        round.until_known().await;
        round
    }

    fn caller(&self, subject: Subject, gateway: usize, rate: Option<f64>) -> Caller {
        let port = self.site.plain_port(GATEWAYS[gateway]);
        Caller { port, path: "/bench/1/x".to_owned(), token: self.tokens[&subject].clone(), body: String::new(), rate }
    }

    /// Every gateway knows every application.
    async fn until_known(&self) {
        for gateway in 0..self.gateways {
            for subject in self.tokens.keys() {
                let caller = self.caller(*subject, gateway, None);
                load::until(&caller, |status| matches!(status, 200 | 429)).await;
            }
        }
    }

    /// The callers of a subject on one gateway, with this demand in calls per second at all gateways together.
    fn callers(&self, subject: Subject, gateway: usize, demand: f64) -> Vec<Caller> {
        let own = demand * subject.0.share(gateway, self.gateways);
        // One connection does some hundred calls per second beside all others.
        let connections = (own / 100.0).ceil().clamp(1.0, 32.0);
        (0..connections as usize).map(|_| self.caller(subject, gateway, Some(own / connections))).collect()
    }

    /// Loads all subjects with these demands for one whole window.
    async fn measure(&self, demands: &[(Subject, f64)]) -> BTreeMap<Subject, Seen> {
        let begin = next_window();
        let window = [begin, begin + WINDOW];
        tokio::time::sleep_until((begin - MARGIN).into()).await;
        let mut tasks = Vec::new();
        for (subject, demand) in demands {
            for gateway in 0..self.gateways {
                let callers = self.callers(*subject, gateway, *demand).into_iter();
                let tasks_of =
                    callers.map(|caller| (*subject, load::call(caller, window[1] + MARGIN, Seen::new(window))));
                tasks.extend(tasks_of);
            }
        }
        let mut all: BTreeMap<Subject, Seen> = BTreeMap::new();
        for (subject, task) in tasks {
            let seen = task.await.unwrap();
            all.entry(subject).or_insert_with(|| Seen::new(window)).add(seen);
        }
        all
    }
}

/// The next whole minute of the wall clock for which there is time to get ready.
fn next_window() -> Instant {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let soonest = since_epoch + MARGIN + Duration::from_millis(200);
    let begin = Duration::from_secs((soonest.as_secs() + 1).next_multiple_of(WINDOW.as_secs()));
    Instant::now() + (begin - since_epoch)
}

/// One line of the table.
fn row(managers: usize, gateways: usize, subject: Subject, seen: &mut Seen, unlimited_p99_us: u32) -> Option<Value> {
    let (demand, Some(limit)) = subject else { return None };
    let overshoot = seen.admitted.saturating_sub(limit);
    let undershoot = limit.saturating_sub(seen.admitted + seen.astride);
    let added_p99_ms = (f64::from(seen.p99_us()) - f64::from(unlimited_p99_us)) / 1_000.0;
    let row = json!({
        "traffic_managers": managers, "gateways": gateways, "demand": demand.name(), "limit_per_minute": limit,
        "offered": seen.offered, "admitted": seen.admitted, "astride": seen.astride, "undecided": seen.undecided,
        "overshoot": overshoot, "undershoot": undershoot, "added_p99_ms": (added_p99_ms * 100.0).round() / 100.0,
        "kept": is_kept(limit, seen),
    });
    println!(
        "| {managers} | {gateways} | {} | {limit} | {} | {} | {overshoot} | {undershoot} | {} | {} |",
        demand.name(),
        seen.offered,
        seen.admitted,
        seen.undecided,
        row["added_p99_ms"],
    );
    Some(row)
}

/// Never above the limit; 99 in 100 of it from 100 up, all but one below, as far as so many calls came.
fn is_kept(limit: u64, seen: &Seen) -> bool {
    let wanted = if limit >= 100 { limit - limit / 100 } else { limit - 1 };
    let is_pressed = seen.offered > limit + limit / 20;
    seen.admitted <= limit && (!is_pressed || seen.admitted + seen.astride >= wanted)
}

/// The numbers after `--name`, else all of `default`.
fn chosen(name: &str, default: &[usize]) -> Vec<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    let numbers = |list: String| list.split(',').map(|number| number.parse().expect("a number")).collect();
    arguments.next().map_or_else(|| default.to_vec(), numbers)
}

async fn measure(managers: usize, gateways: usize, limits: &[usize], back_end: &str, rows: &mut Vec<Value>) {
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    let round = Round::start(&postgres, managers, gateways, back_end).await;
    let per_second = |limit: u64| (limit as f64 * 1.5 / WINDOW.as_secs_f64()).max(2.0);
    let is_chosen = |limit: &u64| limits.contains(&usize::try_from(*limit).unwrap());
    let of = |demand: Demand, limits: &[u64]| {
        let limited = limits.iter().filter(|limit| is_chosen(limit));
        let mut all: Vec<_> = limited.map(|limit| ((demand, Some(*limit)), per_second(*limit))).collect();
        if !all.is_empty() {
            all.push(((demand, None), UNLIMITED_RATE));
        }
        all
    };
    let side_by_side = Demand::ALL.map(|demand| of(demand, &LIMITS)).concat();
    let alone = Demand::ALL.map(|demand| of(demand, &[LARGEST]));
    for demands in [side_by_side].iter().chain(&alone).filter(|demands| !demands.is_empty()) {
        let mut seen = round.measure(demands).await;
        let unlimited = Demand::ALL.map(|demand| seen.get_mut(&(demand, None)).map_or(0, Seen::p99_us));
        for (subject, own) in &mut seen {
            rows.extend(row(managers, gateways, *subject, own, unlimited[subject.0 as usize]));
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let back_end = format!("http://{}", load::back_end(256).await);
    println!(
        "| TMs | gateways | demand | limit/min | offered | admitted | overshoot | undershoot | undecided | added p99 ms |"
    );
    println!("|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|");
    let limits = chosen("--limits", &[5, 100, 1_000, 10_000, 100_000, 1_000_000]);
    let mut rows = Vec::new();
    for managers in chosen("--managers", &[1, 2]) {
        for gateways in chosen("--gateways", &[1, 2, 5, 10]) {
            measure(managers, gateways, &limits, &back_end, &mut rows).await;
        }
    }
    report::write("bench-throttle", &Value::from(rows.clone()));
    assert!(rows.iter().all(|row| row["kept"] == json!(true)), "a limit was not kept");
}
