//! `make bench-ledger`: what 100,000 active throttle keys cost PostgreSQL: blocks and transactions per second that a traffic
//! manager writes while leases are asked for keys at random, against the configured rates. Small limits, which have a block per
//! window, and large ones, which could have twenty.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, reason = "no measurement uses all of it")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use config::sections::throttling::Throttling;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::SystemClock;
use domain::contract::Throttle;
use domain::contract::throttle::{LeaseReply, LeaseRequest};
use domain::throttling::{Shape, TimeUnit};
use serde_json::{Value, json};
use store::apim::lease_ledger::ApimLeaseLedger;
use store::{Apim, Database, OpenOptions, Timeouts};
use support::postgres::Postgres;
use support::report;
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;
use traffic_manager::{Dependencies, TrafficManager};

const KEYS: u64 = 100_000;

/// Keys are counted from the first call on; what is measured are the minutes after.
const WARM_UP: Duration = Duration::from_secs(60);
const MEASURED: Duration = Duration::from_secs(120);

/// Leases asked for per second, over all keys at random: each is used some six times a minute.
const LEASES_PER_SECOND: f64 = 10_000.0;

/// Callers that ask one after the other.
const CALLERS: u64 = 64;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The server's own counts: blocks written, and transactions committed.
fn counts(url: &str) -> [i64; 2] {
    let mut connection = PgConnection::establish(url).unwrap();
    let blocks = "SELECT n_tup_ins + n_tup_upd AS count FROM pg_stat_user_tables WHERE relname = 'lease_block'";
    let commits = "SELECT xact_commit AS count FROM pg_stat_database WHERE datname = 'apim'";
    [blocks, commits].map(|sql| diesel::sql_query(sql).get_result::<Count>(&mut connection).unwrap().count)
}

/// Asks at its part of the rate until `end`; leases, and the longest wait for one.
async fn ask(throttle: Arc<dyn Throttle>, number: u64, limit: u64, end: Instant) -> (u64, Duration) {
    let pause = Duration::from_secs_f64(CALLERS as f64 / LEASES_PER_SECOND);
    let (mut asked, mut longest, mut next) = (0, Duration::ZERO, Instant::now());
    // Xorshift: which key is next only has to look random.
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number + 1);
    while Instant::now() < end {
        tokio::time::sleep_until(next.into()).await;
        next += pause;
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let key = format!("app:{:08}:user@carbon.super", dice % KEYS);
        let request = LeaseRequest::new(key, limit, Shape::aligned(1, TimeUnit::Min), limit / 100);
        let began = Instant::now();
        let reply = throttle.lease(request).await;
        assert!(matches!(reply, Ok(LeaseReply::Granted(_) | LeaseReply::Exhausted { .. })), "{reply:?}");
        longest = longest.max(began.elapsed());
        asked += 1;
    }
    (asked, longest)
}

async fn measure(limit: u64) -> Value {
    let Some(postgres) = Postgres::start() else { panic!("PostgreSQL's server is needed: apt-get install postgresql") };
    drop(postgres.database_toml());
    let url = postgres.apim_url();
    store::migrate::run::<Apim>(&url).unwrap();
    let (pool_size, acquire_timeout, timeouts) = (5, Duration::from_secs(10), Timeouts::default());
    let options = OpenOptions { url: url.clone(), pool_size, acquire_timeout, timeouts };
    let runtime = tokio::runtime::Handle::current();
    let config = Throttling::default();
    let manager = TrafficManager::create(Dependencies {
        ledger: Arc::new(ApimLeaseLedger::new(Database::open(&options, &runtime).unwrap())),
        config: config.clone(),
        clock: Arc::new(SystemClock),
        metrics: Metrics::new(),
        runtime,
        node_id: "tm1".to_owned(),
    });
    let (throttle, stop) = (manager.throttle(), CancellationToken::new());
    let _tasks = manager.start(stop.clone());
    let end = Instant::now() + WARM_UP + MEASURED;
    let callers: Vec<_> =
        (0..CALLERS).map(|number| tokio::spawn(ask(Arc::clone(&throttle), number, limit, end))).collect();
    tokio::time::sleep(WARM_UP).await;
    let before = counts(&url);
    tokio::time::sleep(MEASURED).await;
    let after = counts(&url);
    let (mut asked, mut longest) = (0, Duration::ZERO);
    for caller in callers {
        let own = caller.await.unwrap();
        (asked, longest) = (asked + own.0, longest.max(own.1));
    }
    stop.cancel();
    let per_second = |index: usize| (after[index] - before[index]) as f64 / MEASURED.as_secs_f64();
    let leases = asked as f64 / (WARM_UP + MEASURED).as_secs_f64();
    let (blocks, transactions) = (per_second(0).round(), per_second(1).round());
    let longest_ms = longest.as_millis();
    println!("| {KEYS} | {limit} | {leases:.0} | {blocks} | {transactions} | {longest_ms} |");
    json!({
        "keys": KEYS, "limit_per_minute": limit, "leases_per_second": leases.round(), "blocks_per_second": blocks,
        "transactions_per_second": transactions, "longest_wait_ms": u64::try_from(longest_ms).unwrap(),
        "configured_blocks_per_second": config.ledger_blocks_per_second,
        "configured_writes_per_second": config.ledger_writes_per_second,
    })
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let config = Throttling::default();
    let (blocks, writes) = (config.ledger_blocks_per_second, config.ledger_writes_per_second);
    println!("configured: {blocks} blocks and {writes} transactions per second");
    println!("| keys | limit/min | leases/s | blocks/s | transactions/s | longest wait ms |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let mut rows = Vec::new();
    for limit in [100, 1_000_000] {
        rows.push(measure(limit).await);
    }
    report::write("bench-ledger", &Value::from(rows));
}
