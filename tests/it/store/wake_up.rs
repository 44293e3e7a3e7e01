//! What one process commits, another one on the same PostgreSQL database reads at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use config::human::HumanDuration;
use config::sections::event_hub::EventHub as Config;
use domain::contract::EventBus;
use domain::contract::event_bus::{Fetch, Fetched};
use domain::event::{Event, LogName};
use domain::{ApiId, Clock, Organization, SystemClock, Timestamp};
use event_hub::EventHub;
use node_store::BrokerLog;
use store::{Apim, ApimDb, OpenOptions, StoreError, Timeouts, migrate};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::DatabaseKind;
use crate::support::database::{Databases, postgres_is_there};

/// Nobody who waits for this long was woken.
const POLL_INTERVAL: Duration = Duration::from_secs(60);

/// Far less than the poll interval, and enough for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

fn create() -> Option<Databases> {
    postgres_is_there().then(|| Databases::create(DatabaseKind::Postgres).1).flatten()
}

/// One handle, as each process has it.
fn open(databases: &Databases) -> ApimDb {
    let url = databases.first_url();
    migrate::run::<Apim>(&url).unwrap();
    let acquire_timeout = Duration::from_secs(10);
    let options = OpenOptions { url, pool_size: 2, acquire_timeout, timeouts: Timeouts::default() };
    ApimDb::open(&options, &Handle::current()).unwrap()
}

async fn append(db: &ApimDb) {
    let event = || Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() };
    let outcome = db.write(move |conn| {
        conn.append(Timestamp::from_secs(1), event());
        Ok::<_, StoreError>(())
    });
    outcome.await.unwrap();
}

fn listen(db: &ApimDb) -> (watch::Receiver<u64>, CancellationToken) {
    let (waiter, stop) = (db.subscribe_commits(), CancellationToken::new());
    let (db, stopped) = (db.clone(), stop.clone());
    tokio::spawn(async move { db.listen(stopped.cancelled_owned()).await });
    (waiter, stop)
}

async fn woken(waiter: &mut watch::Receiver<u64>) {
    tokio::time::timeout(AT_ONCE, waiter.changed()).await.expect("nobody was woken").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_through_one_handle_wakes_a_waiter_on_another() {
    let Some(databases) = create() else { return };
    let (one, other) = (open(&databases), open(&databases));
    let (mut waiter, stop) = listen(&one);
    // The first wake-up says that it listens.
    woken(&mut waiter).await;
    for _ in 0..3 {
        append(&other).await;
        woken(&mut waiter).await;
    }
    // Nothing new comes of a commit without events, nor twice of one's own.
    let nothing: Result<(), StoreError> = other.write(|_| Ok(())).await;
    nothing.unwrap();
    let before = *waiter.borrow_and_update();
    append(&one).await;
    append(&other).await;
    waiter.wait_for(|count| *count >= before + 2).await.unwrap();
    append(&other).await;
    woken(&mut waiter).await;
    assert_eq!(*waiter.borrow(), before + 3);
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_whose_connection_died_listens_again() {
    let Some(databases) = create() else { return };
    let (one, other) = (open(&databases), open(&databases));
    let (mut waiter, stop) = listen(&one);
    woken(&mut waiter).await;
    for _ in 0..3 {
        databases.end_connections();
        // Somebody may have committed meanwhile.
        woken(&mut waiter).await;
        append(&other).await;
        woken(&mut waiter).await;
    }
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_relays_what_another_process_commits_at_once() {
    let Some(databases) = create() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (open(&databases), open(&databases));
    let hub = EventHub::create(event_hub::Deps {
        apim: own,
        broker: BrokerLog::open(&folder.path().join("broker.db"), SystemClock.now()).unwrap(),
        config: Config {
            poll_interval: HumanDuration::from_secs(POLL_INTERVAL.as_secs()),
            fetch_wait_max: HumanDuration::from_secs(POLL_INTERVAL.as_secs()),
            ..Config::default()
        },
        clock: Arc::new(SystemClock),
        metrics: Metrics::new(),
    })
    .unwrap();
    let shutdown = CancellationToken::new();
    drop(hub.start(shutdown.clone()));
    let started = Instant::now();
    let mut after = hub.head(LogName::Control).await.unwrap();
    for number in 1..=3 {
        append(&other).await;
        let fetch = Fetch { log: LogName::Control, after: after.clone(), max: 10, wait: POLL_INTERVAL };
        let Fetched::Entries { entries, .. } = hub.fetch(fetch).await.unwrap() else { panic!("the log was reset") };
        assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [number]);
        after.number = number;
    }
    assert!(started.elapsed() < POLL_INTERVAL / 2, "relayed by the poll: {:?}", started.elapsed());
    shutdown.cancel();
}
