//! What an idle key costs: resident memory before and after a million of them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use config::human::HumanDuration;
use config::sections::throttling::Throttling;
use domain::contract::LedgerError;
use domain::contract::lease_ledger::{LeaseLedger, NodeRow, Picture, Reservation, Reserved, SlotRow};
use domain::contract::throttle::{LeaseReply, LeaseRequest};
use domain::throttling::{Shape, Slot, TimeUnit};
use domain::{ApplicationId, Clock, SystemClock, Timestamp};
use telemetry::metrics::Metrics;
use tokio_util::sync::CancellationToken;
use traffic_manager::{Dependencies, TrafficManager};

use super::callers::{Callers, book};
use super::support::process;

pub const KEYS: usize = 1_000_000;

/// Keys that are in use at the same time.
const CROWD: usize = 20_000;

/// Grants everything and remembers nothing, so that only the traffic manager's own memory counts.
struct Forgetful;

#[async_trait]
impl LeaseLedger for Forgetful {
    async fn renew(&self, node: &str) -> Result<Picture, LedgerError> {
        let row = |number| SlotRow { slot: Slot::numbered(number).unwrap(), owner: node.to_owned(), epoch: 1 };
        let nodes = vec![NodeRow { node: node.to_owned(), renewals: 1 }];
        Ok(Picture { nodes, slots: (0..Slot::COUNT).map(row).collect() })
    }

    async fn assign(&self, _: &str, seen: Vec<SlotRow>) -> Result<Vec<SlotRow>, LedgerError> {
        Ok(seen)
    }

    async fn leave(&self, _: &str) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn bury(&self, _: Vec<NodeRow>) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn reserve(&self, wishes: Vec<Reservation>) -> Result<Vec<Reserved>, LedgerError> {
        Ok(wishes.into_iter().map(|wish| Reserved::Units(wish.units)).collect())
    }

    async fn put_back(&self, _: Vec<Reservation>) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn open_since(&self, _: &str, _: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        Ok(None)
    }

    async fn reserved(&self, _: &str, _: i64) -> Result<u64, LedgerError> {
        Ok(0)
    }

    async fn forget_ended(&self, _: Timestamp) -> Result<u64, LedgerError> {
        Ok(0)
    }
}

/// Prints one row of the table; each in a process of its own, so that nothing else counts.
pub async fn report(what: &str) {
    match what {
        "traffic manager" => traffic_manager().await,
        "gateway" => gateway().await,
        other => panic!("there is no memory of a {other} to measure"),
    }
}

/// Keys as they are on the wire, with windows of a minute.
async fn traffic_manager() {
    let sweep_interval = Duration::from_millis(100);
    let config = Throttling {
        sweep_interval: HumanDuration::from_millis(100),
        ledger_writes_per_second: 1_000_000,
        ..Throttling::default()
    };
    let manager = TrafficManager::create(Dependencies {
        ledger: Arc::new(Forgetful),
        config,
        clock: Arc::new(SystemClock),
        metrics: Metrics::new(),
        runtime: tokio::runtime::Handle::current(),
        node_id: "tm1".to_owned(),
    });
    let stop = CancellationToken::new();
    let _tasks = manager.clone().start(stop.clone());
    let throttle = manager.throttle();
    tokio::time::sleep(rest_of_the_minute()).await;
    let before = resident();
    for number in 0..KEYS {
        if number % CROWD == 0 {
            tokio::time::sleep(sweep_interval).await;
        }
        let key = format!("app:{}:user{number}@carbon.super", ApplicationId::random());
        let request = LeaseRequest::new(key, 1_000, Shape::aligned(1, TimeUnit::Min), 10);
        assert!(matches!(throttle.lease(request).await, Ok(LeaseReply::Granted(_))));
    }
    tokio::time::sleep(sweep_interval * 3).await;
    let idle = resident();
    assert!(rest_of_the_minute() < Duration::from_secs(58), "the windows are over already: the machine is too slow");
    tokio::time::sleep(rest_of_the_minute() + sweep_interval * 3).await;
    line("traffic manager", before, idle, resident());
    stop.cancel();
}

fn rest_of_the_minute() -> Duration {
    let now = u64::try_from(SystemClock.now().as_millis()).unwrap();
    Duration::from_millis(60_000 - now % 60_000)
}

/// Two keys for each caller, which call once, one crowd after the other.
async fn gateway() {
    let window = Duration::from_secs(120);
    let ended = tokio::time::Instant::now() + window;
    let leases = book(2 * KEYS, window);
    let before = resident();
    for _ in 0..KEYS / CROWD {
        drop(Callers::new(CROWD / 2, Arc::clone(&leases)).await);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        leases.sweep().await;
    }
    let idle = resident();
    assert!(tokio::time::Instant::now() < ended, "the windows are over already: the machine is too slow");
    tokio::time::sleep_until(ended + Duration::from_secs(60)).await;
    leases.sweep().await;
    line("gateway", before, idle, resident());
}

fn line(what: &str, before: usize, idle: usize, after: usize) {
    println!("| {what} | {} | {} |", idle.saturating_sub(before) / KEYS, after.saturating_sub(before) / KEYS);
}

fn resident() -> usize {
    usize::try_from(process::resident_kib(std::process::id())).unwrap() * 1024
}
