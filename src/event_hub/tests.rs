//! The hub over a real SQLite database in a temporary folder.

use std::sync::Arc;
use std::time::Duration;

use config::sections::event_hub::EventHub as Config;
use domain::contract::event_bus::{DeploymentAck, EventBus, EventBusError, Fetch, Fetched, GatewayHeartbeat};
use domain::contract::runtime_data::{RuntimeData, RuntimeDataError};
use domain::event::{Event, LogEntry, LogName, Position};
use domain::runtime::{Revocation, RevocationEntry};
use domain::{ApiId, Clock, Organization, RevisionId, SystemClock, Timestamp};
use node_store::BrokerLog;
use store::{Apim, ApimDb, OpenOptions, StoreError, Timeouts, migrate, outbox};
use telemetry::metrics::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Deps, EventHub};

const LONG: Duration = Duration::from_secs(20);

struct Fixture {
    folder: tempfile::TempDir,
    db: ApimDb,
    hub: EventHub,
    shutdown: CancellationToken,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Config { poll_interval: "20s".parse().unwrap(), ..Config::default() })
    }

    fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("apim.db").display());
        migrate::run::<Apim>(&url).unwrap();
        let options = OpenOptions { url, pool_size: 4, acquire_timeout: LONG, timeouts: Timeouts::default() };
        let db = ApimDb::open(&options, &tokio::runtime::Handle::current()).unwrap();
        let (hub, shutdown) = start(&folder, &db, config);
        Self { folder, db, hub, shutdown }
    }

    fn restart_hub(&mut self) {
        self.shutdown.cancel();
        (self.hub, self.shutdown) = start(&self.folder, &self.db, Config::default());
    }

    async fn append(&self, events: Vec<Event>) {
        let work = move |conn: &mut store::ApimConn| {
            for event in &events {
                conn.append(Timestamp::from_millis(1), event.clone());
            }
            Ok::<_, StoreError>(())
        };
        self.db.write(work).await.unwrap();
    }

    async fn start_of(&self, log: LogName) -> Position {
        Position { number: 0, ..self.hub.head(log).await.unwrap() }
    }

    async fn fetch(&self, log: LogName, after: &Position) -> Fetched {
        let fetch = Fetch { log, after: after.clone(), max: 1_000, wait: LONG };
        self.hub.fetch(fetch).await.unwrap()
    }

    async fn entries_until(&self, log: LogName, last: u64) -> Vec<LogEntry> {
        let mut position = self.start_of(log).await;
        let mut all = Vec::new();
        while position.number < last {
            let Fetched::Entries { entries, .. } = self.fetch(log, &position).await else {
                panic!("snapshot required")
            };
            position.number = entries.last().expect("the wait passed").number;
            all.extend(entries);
        }
        all
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn start(folder: &tempfile::TempDir, db: &ApimDb, config: Config) -> (EventHub, CancellationToken) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let broker = BrokerLog::open(&folder.path().join("broker.db"), clock.now()).unwrap();
    let hub = EventHub::create(Deps { apim: db.clone(), broker, config, clock, metrics: Metrics::new() }).unwrap();
    let shutdown = CancellationToken::new();
    drop(hub.start(shutdown.clone()));
    (hub, shutdown)
}

fn deleted() -> Event {
    Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() }
}

fn revoked() -> Event {
    let revocation = Revocation::Token { jti: "t".into() };
    let expires_at = Timestamp::from_millis(i64::MAX);
    Event::Revoked(RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at })
}

fn numbers(entries: &[LogEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_appends_is_fetched_in_order_from_its_log() {
    let fixture = Fixture::new();
    let events = vec![deleted(), revoked(), deleted()];
    fixture.append(events.clone()).await;
    let control = fixture.entries_until(LogName::Control, 2).await;
    assert_eq!(numbers(&control), [1, 2]);
    assert_eq!((&control[0].event, &control[1].event), (&events[0], &events[2]));
    assert_eq!(numbers(&fixture.entries_until(LogName::Revocation, 1).await), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_fetch_wakes_up_when_an_entry_commits() {
    let fixture = Fixture::new();
    let start = fixture.start_of(LogName::Control).await;
    // The poll interval is as long as the wait: only the commit's announcement can end it with an entry.
    let (fetched, ()) = tokio::join!(fixture.fetch(LogName::Control, &start), fixture.append(vec![deleted()]));
    let Fetched::Entries { entries, head } = fetched else { panic!("snapshot required") };
    assert_eq!((numbers(&entries), head), (vec![1], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_without_news_answers_empty_when_its_wait_passes() {
    let fixture = Fixture::new();
    fixture.append(vec![deleted()]).await;
    let last = fixture.entries_until(LogName::Control, 1).await.len() as u64;
    let after = Position { number: last, ..fixture.start_of(LogName::Control).await };
    let fetch = Fetch { log: LogName::Control, after, max: 10, wait: Duration::from_millis(1) };
    assert_eq!(fixture.hub.fetch(fetch).await.unwrap(), Fetched::Entries { entries: vec![], head: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_in_another_log_needs_a_snapshot() {
    let fixture = Fixture::new();
    let elsewhere = Position { log_id: "elsewhere".into(), number: 3 };
    assert_eq!(fixture.fetch(LogName::Control, &elsewhere).await, Fetched::SnapshotRequired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_behind_the_kept_entries_needs_a_snapshot() {
    let fixture = Fixture::with(Config { log_entries_max: 3, ..Config::default() });
    fixture.append((0..10).map(|_| deleted()).collect()).await;
    let mut after = fixture.start_of(LogName::Control).await;
    assert_eq!(fixture.fetch(LogName::Control, &after).await, Fetched::SnapshotRequired);
    after.number = 7;
    let Fetched::Entries { entries, .. } = fixture.fetch(LogName::Control, &after).await else { panic!() };
    assert_eq!(numbers(&entries), [8, 9, 10]);
    crate::upkeep::once(&fixture.hub.inner).await.unwrap();
    let left = fixture.db.read(|conn| outbox::read_after(conn, LogName::Control, 0, 100)).await;
    assert_eq!(numbers(&left.unwrap()), [8, 9, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_hub_goes_on_from_any_position() {
    let mut fixture = Fixture::new();
    fixture.append(vec![deleted(), deleted()]).await;
    let before = fixture.entries_until(LogName::Control, 2).await;
    fixture.restart_hub();
    fixture.append(vec![deleted()]).await;
    let after = fixture.entries_until(LogName::Control, 3).await;
    assert_eq!(numbers(&after), [1, 2, 3]);
    assert_eq!(after[..2], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_give_numbers_without_gaps_in_the_order_of_commits() {
    let fixture = Arc::new(Fixture::new());
    let mut writers = JoinSet::new();
    for _ in 0..32 {
        let fixture = Arc::clone(&fixture);
        writers.spawn(async move {
            for _ in 0..5 {
                fixture.append(vec![deleted(), revoked()]).await;
            }
        });
    }
    let control = fixture.entries_until(LogName::Control, 160).await;
    let revocation = fixture.entries_until(LogName::Revocation, 160).await;
    writers.join_all().await;
    assert_eq!(numbers(&control), (1..=160).collect::<Vec<_>>());
    assert_eq!(numbers(&revocation), (1..=160).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_ahead_of_the_database_makes_the_log_get_a_new_id() {
    let fixture = Fixture::new();
    fixture.append(vec![deleted()]).await;
    fixture.entries_until(LogName::Control, 1).await;
    let old = fixture.start_of(LogName::Control).await;
    let ahead = Position { number: 9, ..old.clone() };
    assert_eq!(fixture.fetch(LogName::Control, &ahead).await, Fetched::SnapshotRequired);
    let new = fixture.start_of(LogName::Control).await;
    assert_ne!(new.log_id, old.log_id);
    // The hub follows the new log with the entries that are there.
    fixture.append(vec![deleted()]).await;
    assert_eq!(numbers(&fixture.entries_until(LogName::Control, 2).await), [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_and_acknowledgements_are_stored_and_may_be_repeated() {
    let fixture = Fixture::new();
    let (api_id, revision_id) = (ApiId::random(), RevisionId::random());
    let heartbeat =
        GatewayHeartbeat { gateway_id: "g".into(), environments: vec!["Default".into()], control: 1, revocation: 0 };
    let ack = DeploymentAck {
        gateway_id: "g".into(),
        organization: Organization::super_tenant(),
        api_id,
        environment: "Default".into(),
        revision_id: Some(revision_id),
        artifact_hash: Some("h".into()),
        error: None,
        at: Timestamp::from_secs(7),
        position: Position::default(),
    };
    for _ in 0..2 {
        fixture.hub.heartbeat(heartbeat.clone()).await.unwrap();
        fixture.hub.acknowledge(vec![ack.clone()]).await.unwrap();
    }
    let now = SystemClock.now();
    let report = fixture.db.read(move |conn| store::apim::gateways::counts(conn, &[api_id], now, LONG)).await.unwrap();
    let counts = report.of(api_id, "Default", revision_id);
    assert_eq!((counts.live, counts.deployed, counts.failed), (1, 1, 0));
    let flood = fixture.hub.acknowledge(vec![ack; 1_001]).await;
    assert!(matches!(flood, Err(EventBusError::Refused(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_an_empty_database_has_the_positions_of_both_logs() {
    let fixture = Fixture::new();
    fixture.append(vec![deleted(), revoked(), deleted()]).await;
    let snapshot = fixture.hub.snapshot(&["Default".to_owned()]).await.unwrap();
    assert_eq!(snapshot.control, fixture.hub.head(LogName::Control).await.unwrap());
    assert_eq!((snapshot.control.number, snapshot.revocation.number), (2, 1));
    assert!(snapshot.apis.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_is_not_there_is_unknown() {
    let fixture = Fixture::new();
    let answer = fixture.hub.artifact("00").await;
    assert!(matches!(answer, Err(RuntimeDataError::UnknownArtifact(hash)) if hash == "00"));
}
