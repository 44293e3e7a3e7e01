//! The whole sync against a hub in memory, with real tables and a real carbon store.

mod hub;

use domain::event::{Event, Position};
use domain::runtime::{GatewayApi, Revocation, RevocationEntry, Snapshot};
use domain::{Organization, RevisionId, SystemClock};

use super::*;
use crate::table::TokenFacts;
use crate::testing::fixture;
use hub::Hub;

/// One life of a gateway over a home folder.
struct Gateway {
    tables: Tables,
    status: watch::Receiver<SyncStatus>,
    id: String,
    shutdown: CancellationToken,
    running: Option<JoinHandle<()>>,
    core: Arc<Core>,
}

/// A clock that can be set.
struct SetClock(std::sync::atomic::AtomicI64);

impl SetClock {
    fn set(&self, secs: i64) {
        self.0.store(secs, std::sync::atomic::Ordering::Release);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(std::sync::atomic::Ordering::Acquire))
    }
}

impl Gateway {
    fn start(home: &tempfile::TempDir, hub: &Arc<Hub>) -> Self {
        Self::start_at(home, hub, Arc::new(SystemClock))
    }

    fn start_at(home: &tempfile::TempDir, hub: &Arc<Hub>, clock: Arc<dyn Clock>) -> Self {
        let tables = Tables::new();
        let carbon = Carbon::open(&home.path().join("carbon.db"), SystemClock.now()).unwrap();
        let sync = Sync::create(Deps {
            bus: hub.clone(),
            data: hub.clone(),
            carbon,
            gateway_id: "gateway-1".to_owned(),
            tables: tables.clone(),
            environments: vec!["Default".into()],
            clock,
            metrics: Metrics::new(),
            options: Options {
                pause_min: Duration::from_millis(5),
                pause_max: Duration::from_millis(20),
                ..Options::default()
            },
        });
        let (status, id, shutdown) = (sync.status(), sync.gateway_id().to_owned(), CancellationToken::new());
        let core = Arc::clone(&sync.core);
        let running = Some(sync.start(shutdown.clone()));
        Self { tables, status, id, shutdown, running, core }
    }

    async fn until(&mut self, is_so: impl FnMut(&SyncStatus) -> bool) -> SyncStatus {
        let waiting = tokio::time::timeout(Duration::from_secs(20), self.status.wait_for(is_so));
        waiting.await.expect("waited too long").unwrap().clone()
    }

    async fn until_control(&mut self, number: u64) -> SyncStatus {
        self.until(|status| status.is_loaded && status.control.applied.number == number).await
    }

    async fn stop(mut self) {
        self.shutdown.cancel();
        self.running.take().unwrap().await.unwrap();
    }

    fn revision(&self, path: &str) -> Option<RevisionId> {
        self.tables.live().find_api(path.as_bytes()).map(|(entry, _)| entry.deployment.revision_id)
    }

    fn is_revoked(&self, jti: &str) -> bool {
        let issued_at = Timestamp::from_millis(0);
        let token = TokenFacts { jti, consumer_key: "c", user: "u", issued_at };
        self.tables.live().revocations.covers(&token)
    }
}

fn deployed(hub: &Hub, api: &GatewayApi, environment: &str) -> Event {
    let deployment = hub.put(api, environment);
    Event::ApiDeployed { organization: api.organization.clone(), deployment, metadata: fixture::metadata(api) }
}

fn undeployed(api: &GatewayApi) -> Event {
    let organization = api.organization.clone();
    Event::ApiUndeployed { organization, api_id: api.api_id, environment: "Default".into() }
}

fn revoked(jti: &str, expires_at: Timestamp) -> Event {
    let revocation = Revocation::Token { jti: jti.into() };
    Event::Revoked(RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at })
}

fn api(name: &str) -> GatewayApi {
    fixture::api(name, "http://localhost:1")
}

/// A further revision of the same API.
fn revised(api: &GatewayApi) -> GatewayApi {
    GatewayApi { revision_id: RevisionId::random(), ..api.clone() }
}

/// A revision that no gateway can load.
fn broken(api: &GatewayApi) -> GatewayApi {
    let mut broken = revised(api);
    broken.operations.push(fixture::operation("GET", "/{open"));
    broken
}

fn set_snapshot(hub: &Hub, apis: &[&GatewayApi]) {
    let deployments = apis.iter().map(|api| hub.put(api, "Default")).collect();
    let apis = apis.iter().map(|api| fixture::metadata(api)).collect();
    hub.change(|state| state.snapshot = Snapshot { apis, deployments, ..Snapshot::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_gateway_starts_from_a_snapshot_and_acknowledges_what_it_serves() {
    let (home, hub, pizza) = (tempfile::tempdir().unwrap(), Hub::new(), api("pizza"));
    set_snapshot(&hub, &[&pizza]);
    let mut gateway = Gateway::start(&home, &hub);
    hub.until(|state| !state.acks.is_empty() && !state.heartbeats.is_empty()).await;
    let status = gateway.until(|status| status.is_loaded && status.unacknowledged == 0).await;
    assert!(status.failed.is_empty());
    assert_eq!(gateway.revision("/pizza/1.0.0"), Some(pizza.revision_id));
    let ack = hub.state().acks[0].clone();
    assert_eq!((ack.revision_id, ack.error, &ack.gateway_id), (Some(pizza.revision_id), None, &gateway.id));
    assert_eq!(ack.artifact_hash, Some(hub.put(&pizza, "Default").artifact_hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_served_and_acknowledged_and_those_of_other_environments_are_skipped() {
    let (home, hub, pizza, pasta) = (tempfile::tempdir().unwrap(), Hub::new(), api("pizza"), api("pasta"));
    let mut gateway = Gateway::start(&home, &hub);
    gateway.until(|status| status.is_loaded).await;
    hub.append(deployed(&hub, &pasta, "Elsewhere"));
    hub.append(deployed(&hub, &pizza, "Default"));
    gateway.until_control(2).await;
    hub.until(|state| state.acks.len() == 1).await;
    assert_eq!(gateway.revision("/pizza/1.0.0"), Some(pizza.revision_id));
    assert_eq!(gateway.revision("/pasta/1.0.0"), None);
    hub.append(undeployed(&pizza));
    hub.until(|state| state.acks.len() == 2).await;
    assert_eq!(gateway.revision("/pizza/1.0.0"), None);
    let ack = hub.state().acks[1].clone();
    assert_eq!((ack.api_id, ack.revision_id, ack.error), (pizza.api_id, None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_serves_after_a_restart_with_nothing_but_its_home_folder() {
    let (home, hub, pizza) = (tempfile::tempdir().unwrap(), Hub::new(), api("pizza"));
    let mut first = Gateway::start(&home, &hub);
    first.until(|status| status.is_loaded).await;
    hub.append(deployed(&hub, &pizza, "Default"));
    hub.append(revoked("gone", Timestamp::from_millis(i64::MAX)));
    first.until(|status| status.control.applied.number == 1 && status.revocation.applied.number == 1).await;
    let id = first.id.clone();
    first.stop().await;

    hub.change(|state| state.is_down = true);
    let mut second = Gateway::start(&home, &hub);
    assert!(second.status.borrow().is_loaded, "right at the creation");
    assert_eq!(second.revision("/pizza/1.0.0"), Some(pizza.revision_id));
    assert!(second.is_revoked("gone") && !second.is_revoked("other"));
    assert_eq!(second.id, id);

    // The hub comes back: the gateway goes on from its position, without a snapshot.
    hub.append(undeployed(&pizza));
    hub.change(|state| state.is_down = false);
    second.until_control(2).await;
    assert_eq!(second.revision("/pizza/1.0.0"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_persisted_and_not_acknowledged_is_acknowledged_after_a_restart() {
    let (home, hub) = (tempfile::tempdir().unwrap(), Hub::new());
    let (pizza, pasta) = (api("pizza"), api("pasta"));
    set_snapshot(&hub, &[&pasta]);
    let mut first = Gateway::start(&home, &hub);
    hub.until(|state| state.acks.len() == 1).await;
    hub.change(|state| state.takes_no_acks = true);
    hub.append(deployed(&hub, &pizza, "Default"));
    hub.append(undeployed(&pasta));
    first.until(|status| status.control.applied.number == 2 && status.unacknowledged == 2).await;
    first.stop().await;

    hub.change(|state| {
        state.takes_no_acks = false;
        state.acks.clear();
    });
    let mut second = Gateway::start(&home, &hub);
    second.until(|status| status.unacknowledged == 0).await;
    let mut acks: Vec<_> = hub.state().acks.iter().map(|ack| (ack.api_id, ack.revision_id)).collect();
    acks.sort();
    let mut expected = vec![(pizza.api_id, Some(pizza.revision_id)), (pasta.api_id, None)];
    expected.sort();
    assert_eq!(acks, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_loaded_keeps_its_last_good_revision_also_over_a_restart() {
    let (home, hub) = (tempfile::tempdir().unwrap(), Hub::new());
    let (pizza, pasta) = (api("pizza"), api("pasta"));
    let bad = broken(&pizza);
    let mut first = Gateway::start(&home, &hub);
    first.until(|status| status.is_loaded).await;
    hub.append(deployed(&hub, &pizza, "Default"));
    hub.until(|state| state.acks.len() == 1).await;
    hub.append(deployed(&hub, &bad, "Default"));
    hub.append(deployed(&hub, &pasta, "Default"));
    let status = first.until(|status| status.control.applied.number == 3 && !status.failed.is_empty()).await;
    assert_eq!(status.failed[0].api_id, pizza.api_id);
    hub.until(|state| state.acks.len() == 3).await;
    let ack = hub.state().acks.iter().find(|ack| ack.revision_id == Some(bad.revision_id)).cloned().unwrap();
    assert!(ack.error.unwrap().contains("braces"), "the reason is told");
    for gateway in [first, Gateway::start(&home, &hub)] {
        assert_eq!(gateway.revision("/pizza/1.0.0"), Some(pizza.revision_id));
        assert_eq!(gateway.revision("/pasta/1.0.0"), Some(pasta.revision_id));
        assert_eq!(gateway.status.borrow().failed.len(), 1);
        gateway.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_is_missing_or_does_not_match_its_hash_fails_its_own_deployment_only() {
    let (home, hub) = (tempfile::tempdir().unwrap(), Hub::new());
    let (missing, forged, good) = (api("missing"), api("forged"), api("good"));
    let mut gateway = Gateway::start(&home, &hub);
    gateway.until(|status| status.is_loaded).await;
    let events = [&missing, &forged, &good].map(|api| deployed(&hub, api, "Default"));
    hub.change(|state| {
        state.artifacts.retain(|_, document| !document.contains("missing"));
        for document in state.artifacts.values_mut().filter(|document| document.contains("forged")) {
            document.push(' ');
        }
    });
    events.into_iter().for_each(|event| hub.append(event));
    let status = gateway.until(|status| status.control.applied.number == 3 && status.failed.len() == 2).await;
    let mut errors: Vec<_> = status.failed.iter().map(|failed| failed.error.as_str()).collect();
    errors.sort_unstable();
    assert_eq!(errors, ["the artifact does not match its hash", "the hub has no such artifact"]);
    assert_eq!(gateway.revision("/good/1.0.0"), Some(good.revision_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_log_id_brings_a_snapshot_that_replaces_everything() {
    let (home, hub) = (tempfile::tempdir().unwrap(), Hub::new());
    let (pizza, pasta) = (api("pizza"), api("pasta"));
    set_snapshot(&hub, &[&pizza]);
    let mut gateway = Gateway::start(&home, &hub);
    hub.until(|state| state.acks.len() == 1).await;
    set_snapshot(&hub, &[&pasta]);
    hub.change(|state| state.log_id = "second".into());
    let second = Position { log_id: "second".into(), number: 0 };
    // Waiting questions of the old log are answered when something happens.
    gateway.until(|status| status.control.applied == second && status.revocation.applied == second).await;
    assert_eq!(gateway.revision("/pizza/1.0.0"), None);
    assert_eq!(gateway.revision("/pasta/1.0.0"), Some(pasta.revision_id));
    hub.until(|state| state.acks.len() == 3).await;
    let removal = hub.state().acks.iter().find(|ack| ack.revision_id.is_none()).cloned().unwrap();
    assert_eq!(removal.api_id, pizza.api_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_takes_effect_while_a_deploy_hangs() {
    let (home, hub, pizza) = (tempfile::tempdir().unwrap(), Hub::new(), api("pizza"));
    let mut gateway = Gateway::start(&home, &hub);
    gateway.until(|status| status.is_loaded).await;
    hub.change(|state| state.artifacts_hang = true);
    hub.append(deployed(&hub, &pizza, "Default"));
    hub.append(revoked("gone", Timestamp::from_millis(i64::MAX)));
    gateway.until(|status| status.revocation.applied.number == 1).await;
    assert!(gateway.is_revoked("gone"));
    assert_eq!(gateway.status.borrow().control.applied.number, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_of_tokens_that_have_expired_is_dropped() {
    let (home, hub) = (tempfile::tempdir().unwrap(), Hub::new());
    let mut gateway = Gateway::start(&home, &hub);
    gateway.until(|status| status.is_loaded).await;
    hub.append(revoked("old", Timestamp::from_millis(1)));
    gateway.until(|status| status.revocation.applied.number == 1).await;
    assert!(!gateway.is_revoked("old"));
}

/// An event of the next release.
fn unknown() -> Event {
    Event::read(serde_json::json!({"type": "FLUX_UPDATE", "payload": {}}), domain::event::SCHEMA_VERSION + 1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_newer_release_moves_the_position_and_stops_nothing() {
    let (home, hub, pizza) = (tempfile::tempdir().unwrap(), Hub::new(), api("pizza"));
    let mut gateway = Gateway::start(&home, &hub);
    gateway.until(|status| status.is_loaded).await;
    hub.append(unknown());
    hub.append(deployed(&hub, &pizza, "Default"));
    hub.append(unknown());
    gateway.until_control(3).await;
    assert_eq!(gateway.revision("/pizza/1.0.0"), Some(pizza.revision_id));
    gateway.stop().await;
    // The same release goes on from there.
    hub.change(|state| state.is_down = true);
    assert_eq!(Gateway::start(&home, &hub).status.borrow().control.applied.number, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_five_minutes_forward_and_back_makes_nobody_forget_a_revocation() {
    const NOW: i64 = 1_700_000_000;
    let (home, hub) = (tempfile::tempdir().unwrap(), Hub::new());
    let clock = Arc::new(SetClock(NOW.into()));
    let mut gateway = Gateway::start_at(&home, &hub, clock.clone());
    gateway.until(|status| status.is_loaded).await;
    // The token lives for two more minutes.
    hub.append(revoked("gone", Timestamp::from_secs(NOW + 120)));
    gateway.until(|status| status.revocation.applied.number == 1).await;
    clock.set(NOW + 300);
    heartbeat::forget_expired(&gateway.core).await;
    // One that comes while the clock is wrong.
    hub.append(revoked("late", Timestamp::from_secs(NOW + 120)));
    gateway.until(|status| status.revocation.applied.number == 2).await;
    clock.set(NOW);
    assert!(gateway.is_revoked("gone") && gateway.is_revoked("late"));
    gateway.stop().await;
    clock.set(NOW + 300);
    hub.change(|state| state.is_down = true);
    let restarted = Gateway::start_at(&home, &hub, clock.clone());
    assert!(restarted.is_revoked("gone") && restarted.is_revoked("late"));
    clock.set(NOW + 3_600);
    heartbeat::forget_expired(&restarted.core).await;
    assert!(!restarted.is_revoked("gone") && !restarted.is_revoked("late"));
}
