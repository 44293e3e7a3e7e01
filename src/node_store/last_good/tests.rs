//! What survives in the last good state, and what is refused of it.

use domain::api::ApiScope;
use domain::api_key::{ApiKey, KeyRestrictions};
use domain::application::KeyType;
use domain::lifecycle::LifecycleState;
use domain::runtime::{ApiMetadata, GatewayApi, Revocation, RevocationEntry};
use domain::subscription::{Subscription, SubscriptionState};
use domain::{ApiKeyId, ApplicationId, RevisionId, SubscriptionId};
use rusqlite::Connection;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const BOTH: Parts = Parts { control: true, revocation: true };

struct Fixture {
    folder: tempfile::TempDir,
    store: LastGood,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.install(&Snapshot { control: at(0), revocation: at(0), ..Snapshot::default() }, BOTH).unwrap();
        Self { folder, store }
    }

    fn restart(self) -> Self {
        drop(self.store);
        let store = open(&self.folder);
        Self { folder: self.folder, store }
    }

    fn apply(&self, number: u64, event: &Event, artifacts: &[Artifact]) -> Result<(), NodeStoreError> {
        let position = at(number);
        let batch = Batch {
            log: event.log(),
            position: &position,
            events: &[event],
            artifacts,
            pending: &pending(number, event),
        };
        self.store.apply(&batch)
    }
}

fn open(folder: &tempfile::TempDir) -> LastGood {
    LastGood::new(Carbon::open(&folder.path().join("carbon.db"), NOW).unwrap())
}

fn at(number: u64) -> Position {
    Position { log_id: "log".into(), number }
}

fn pending(number: u64, event: &Event) -> Vec<PendingAck> {
    let (api_id, environment) = match event {
        Event::ApiDeployed { deployment, .. } => (deployment.api_id, deployment.environment.clone()),
        Event::ApiUndeployed { api_id, environment, .. } => (*api_id, environment.clone()),
        _ => return Vec::new(),
    };
    vec![PendingAck { organization: event.organization().clone(), api_id, environment, number }]
}

fn metadata(api_id: ApiId) -> ApiMetadata {
    ApiMetadata {
        api_id,
        organization: Organization::super_tenant(),
        name: "Pizza".into(),
        version: "1.0.0".into(),
        context: "/pizza/1.0.0".into(),
        state: LifecycleState::Published,
        is_default_version: false,
    }
}

fn artifact(api_id: ApiId, hash: &str) -> Artifact {
    let api = GatewayApi {
        api_id,
        revision_id: RevisionId::random(),
        organization: Organization::super_tenant(),
        name: "Pizza".into(),
        version: "1.0.0".into(),
        provider: "admin".into(),
        context: "/pizza/1.0.0".into(),
        default_context: "/pizza".into(),
        operations: Vec::new(),
        production: None,
        sandbox: None,
        transports: vec!["https".into()],
        security_schemes: vec!["oauth2".into()],
        audiences: Vec::new(),
        authorization_header: "authorization".into(),
        needs_subscription: true,
        scopes: Vec::<ApiScope>::new(),
        cors: None,
        api_key_header: None,
        throttling_policy: None,
        production_maximum: None,
        sandbox_maximum: None,
    };
    Artifact { hash: hash.into(), document: serde_json::to_string(&api).unwrap() }
}

fn deployment(api_id: ApiId, hash: &str) -> DeployedRevision {
    DeployedRevision {
        api_id,
        revision_id: RevisionId::random(),
        environment: "Default".into(),
        vhost: "localhost".into(),
        artifact_hash: hash.into(),
    }
}

fn deployed(api_id: ApiId, hash: &str) -> Event {
    let organization = Organization::super_tenant();
    Event::ApiDeployed { organization, deployment: deployment(api_id, hash), metadata: metadata(api_id) }
}

fn subscription(api_id: ApiId, application_id: ApplicationId) -> Subscription {
    Subscription {
        id: SubscriptionId::random(),
        organization: Organization::super_tenant(),
        api_id,
        application_id,
        throttling_policy: "Gold".into(),
        state: SubscriptionState::Unblocked,
        created_at: NOW,
    }
}

fn revoked(jti: &str, expires_at: Timestamp) -> Event {
    let revocation = Revocation::Token { jti: jti.into() };
    Event::Revoked(RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at })
}

#[test]
fn what_was_applied_is_there_after_a_restart_with_both_positions() {
    let fixture = Fixture::new();
    let api_id = ApiId::random();
    let subscription = subscription(api_id, ApplicationId::random());
    fixture.apply(1, &deployed(api_id, "h1"), &[artifact(api_id, "h1")]).unwrap();
    fixture.apply(2, &Event::SubscriptionUpdated(subscription.clone()), &[]).unwrap();
    fixture.apply(7, &revoked("t", Timestamp::from_millis(9_000)), &[]).unwrap();
    let state = fixture.restart().store.load().unwrap();
    assert_eq!((state.snapshot.control, state.snapshot.revocation, state.damaged), (at(2), at(7), 0));
    assert_eq!(state.snapshot.apis, [metadata(api_id)]);
    assert_eq!(state.snapshot.subscriptions, [subscription]);
    assert_eq!(state.snapshot.revocations.len(), 1);
    assert_eq!(state.artifacts["h1"].api_id, api_id);
    assert_eq!(state.pending.len(), 1);
}

#[test]
fn a_batch_that_does_not_follow_the_position_changes_nothing() {
    let fixture = Fixture::new();
    let api_id = ApiId::random();
    fixture.apply(3, &Event::ApiUpdated(metadata(api_id)), &[]).unwrap();
    let repeated = fixture.apply(3, &Event::ApiDeleted { organization: Organization::super_tenant(), api_id }, &[]);
    assert!(matches!(repeated, Err(NodeStoreError::OutOfOrder { log: "control", offered: 3 })));
    let foreign = Position { log_id: "other".into(), number: 9 };
    let batch = Batch { log: LogName::Control, position: &foreign, events: &[], artifacts: &[], pending: &[] };
    assert!(fixture.store.apply(&batch).is_err());
    assert_eq!(fixture.store.load().unwrap().snapshot.apis.len(), 1);
}

#[test]
fn an_application_takes_its_key_mappings_and_subscriptions_with_it() {
    let fixture = Fixture::new();
    let (api_id, application_id) = (ApiId::random(), ApplicationId::random());
    fixture.apply(1, &Event::SubscriptionUpdated(subscription(api_id, application_id)), &[]).unwrap();
    fixture.apply(2, &Event::SubscriptionUpdated(subscription(api_id, ApplicationId::random())), &[]).unwrap();
    let organization = Organization::super_tenant();
    fixture.apply(3, &Event::ApplicationDeleted { organization, application_id }, &[]).unwrap();
    assert_eq!(fixture.store.load().unwrap().snapshot.subscriptions.len(), 1);
}

#[test]
fn an_artifact_stays_while_a_restart_may_fall_back_to_it() {
    let fixture = Fixture::new();
    let api_id = ApiId::random();
    let first = deployed(api_id, "h1");
    fixture.apply(1, &first, &[artifact(api_id, "h1")]).unwrap();
    let served = deployment(api_id, "h1");
    fixture.store.settle(&[(pending(1, &first).remove(0), Some(served.clone()))]).unwrap();
    // The second revision cannot be loaded: it is wanted, the first one is what was served.
    let second = deployed(api_id, "h2");
    fixture.apply(2, &second, &[artifact(api_id, "h2")]).unwrap();
    fixture.store.settle(&[(pending(2, &second).remove(0), None)]).unwrap();
    let state = fixture.store.load().unwrap();
    assert_eq!(state.served, [served]);
    assert_eq!(state.artifacts.len(), 2);
    // The third one can.
    let third = deployed(api_id, "h3");
    fixture.apply(3, &third, &[artifact(api_id, "h3")]).unwrap();
    fixture.store.settle(&[(pending(3, &third).remove(0), Some(deployment(api_id, "h3")))]).unwrap();
    let state = fixture.store.load().unwrap();
    assert_eq!(state.artifacts.keys().collect::<Vec<_>>(), ["h3"]);
    assert!(state.pending.is_empty());
    let gone =
        Event::ApiUndeployed { organization: Organization::super_tenant(), api_id, environment: "Default".into() };
    fixture.apply(4, &gone, &[]).unwrap();
    let state = fixture.store.load().unwrap();
    assert!(state.artifacts.is_empty() && state.served.is_empty() && state.snapshot.deployments.is_empty());
    assert_eq!(state.pending.len(), 1);
}

#[test]
fn settling_an_older_deployment_leaves_the_newer_one_pending() {
    let fixture = Fixture::new();
    let api_id = ApiId::random();
    let (first, second) = (deployed(api_id, "h1"), deployed(api_id, "h2"));
    fixture.apply(1, &first, &[artifact(api_id, "h1")]).unwrap();
    fixture.apply(2, &second, &[artifact(api_id, "h2")]).unwrap();
    fixture.store.settle(&[(pending(1, &first).remove(0), None)]).unwrap();
    assert_eq!(fixture.store.load().unwrap().pending, pending(2, &second));
}

#[test]
fn a_snapshot_replaces_its_parts_and_says_what_must_be_acknowledged() {
    let fixture = Fixture::new();
    let (stays, goes, comes) = (ApiId::random(), ApiId::random(), ApiId::random());
    fixture.apply(1, &deployed(stays, "h1"), &[artifact(stays, "h1")]).unwrap();
    fixture.apply(2, &deployed(goes, "h2"), &[artifact(goes, "h2")]).unwrap();
    fixture.apply(5, &revoked("kept", Timestamp::from_millis(9_000)), &[]).unwrap();
    fixture.store.put_artifacts(&[artifact(comes, "h3")]).unwrap();
    let snapshot = Snapshot {
        control: Position { log_id: "new".into(), number: 40 },
        revocation: at(3),
        apis: vec![metadata(stays), metadata(comes)],
        deployments: vec![deployment(stays, "h1"), deployment(comes, "h3")],
        ..Snapshot::default()
    };
    let pending = fixture.store.install(&snapshot, Parts { control: true, revocation: false }).unwrap();
    let mut apis: Vec<_> = pending.iter().map(|ack| ack.api_id).collect();
    apis.sort();
    let mut expected = [stays, goes, comes];
    expected.sort();
    assert_eq!(apis, expected);
    let state = fixture.restart().store.load().unwrap();
    assert_eq!((state.snapshot.control, state.snapshot.revocation), (snapshot.control, at(5)));
    assert_eq!(state.snapshot.revocations.len(), 1);
    assert_eq!(state.snapshot.deployments.len(), 2);
    assert_eq!(state.artifacts.len(), 2);
    assert_eq!(state.pending.len(), 3);
}

#[test]
fn api_keys_survive_a_restart_and_go_with_their_application() {
    let fixture = Fixture::new();
    let application_id = ApplicationId::random();
    let key = |hash: &str| ApiKey {
        id: ApiKeyId::random(),
        organization: Organization::super_tenant(),
        application_id,
        key_type: KeyType::Production,
        name: "till".into(),
        hash: hash.into(),
        user: "admin@carbon.super".into(),
        restrictions: KeyRestrictions::parse("10.0.0.0/8", "").unwrap(),
        created_at: NOW,
        expires_at: None,
    };
    let (stays, goes) = (key("a"), key("b"));
    fixture.apply(1, &Event::ApiKeyCreated(stays.clone()), &[]).unwrap();
    fixture.apply(2, &Event::ApiKeyCreated(goes.clone()), &[]).unwrap();
    let organization = Organization::super_tenant();
    let revoked = Event::ApiKeyRevoked { organization, api_key_id: goes.id, application_id, hash: goes.hash };
    fixture.apply(3, &revoked, &[]).unwrap();
    let fixture = fixture.restart();
    assert_eq!(fixture.store.load().unwrap().snapshot.api_keys, std::slice::from_ref(&stays));
    let snapshot = Snapshot { control: at(9), revocation: at(0), api_keys: vec![stays], ..Snapshot::default() };
    fixture.store.install(&snapshot, BOTH).unwrap();
    assert_eq!(fixture.store.load().unwrap().snapshot.api_keys.len(), 1);
    let organization = Organization::super_tenant();
    fixture.apply(10, &Event::ApplicationDeleted { organization, application_id }, &[]).unwrap();
    assert!(fixture.store.load().unwrap().snapshot.api_keys.is_empty());
}

#[test]
fn expired_revocations_are_forgotten() {
    let fixture = Fixture::new();
    fixture.apply(1, &revoked("old", Timestamp::from_millis(2_000)), &[]).unwrap();
    fixture.apply(2, &revoked("new", Timestamp::from_millis(3_000)), &[]).unwrap();
    assert_eq!(fixture.store.forget_expired(Timestamp::from_millis(2_000)).unwrap(), 1);
    assert_eq!(fixture.store.load().unwrap().snapshot.revocations.len(), 1);
}

#[test]
fn a_later_revocation_never_takes_away_what_an_earlier_one_cut_off() {
    let fixture = Fixture::new();
    let cut_off = |before, expires_at| {
        let revocation = Revocation::User { user: "bob@carbon.super".into(), before: Timestamp::from_millis(before) };
        let expires_at = Timestamp::from_millis(expires_at);
        RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at }
    };
    let (wide, narrow, shorter) = (cut_off(9_000, 20_000), cut_off(5_000, 30_000), cut_off(9_000, 10_000));
    for (number, entry) in (1..).zip([&wide, &narrow, &shorter]) {
        fixture.apply(number, &Event::Revoked(entry.clone()), &[]).unwrap();
    }
    let stored = |fixture: &Fixture| fixture.store.load().unwrap().snapshot.revocations;
    assert_eq!(stored(&fixture), [narrow.clone(), wide.clone()]);
    // A snapshot lists them in any order.
    let revocations = vec![wide.clone(), shorter, narrow.clone()];
    let snapshot = Snapshot { control: at(9), revocation: at(9), revocations, ..Snapshot::default() };
    fixture.store.install(&snapshot, BOTH).unwrap();
    assert_eq!(stored(&fixture), [narrow, wide]);
}

#[test]
fn a_damaged_document_costs_the_positions_and_nothing_else() {
    let fixture = Fixture::new();
    let api_id = ApiId::random();
    fixture.apply(1, &deployed(api_id, "h1"), &[artifact(api_id, "h1")]).unwrap();
    let raw = Connection::open(fixture.folder.path().join("carbon.db")).unwrap();
    raw.execute("UPDATE artifacts SET document = 'x'", []).unwrap();
    let state = fixture.store.load().unwrap();
    assert_eq!((state.damaged, state.snapshot.control.clone()), (1, Position::default()));
    assert_eq!(state.snapshot.deployments.len(), 1);
    assert!(fixture.store.artifact_hashes().unwrap().is_empty());
}
