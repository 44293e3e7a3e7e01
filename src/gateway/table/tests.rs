//! Snapshots and events, applied in every order that may come.

use domain::application::{KeyType, RESIDENT_KEY_MANAGER};
use domain::lifecycle::LifecycleState;
use domain::runtime::{Revocation, RevocationEntry};
use domain::throttling::PolicyKind;
use domain::{Organization, PolicyId, RevisionId};

use super::*;
use crate::testing::fixture;

fn served(tables: &Tables, path: &str) -> Option<String> {
    tables.live().find_api(path.as_bytes()).map(|(entry, _)| entry.api.document.context.clone())
}

fn loaded(apis: &[GatewayApi]) -> Tables {
    let tables = Tables::new();
    let outcomes = tables.load(&fixture::snapshot(apis), &fixture::artifacts(apis), EarlierRevocations::Drop);
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
    tables
}

fn deployed(api: &GatewayApi, metadata: domain::runtime::ApiMetadata) -> Event {
    Event::ApiDeployed { organization: api.organization.clone(), deployment: fixture::deployment(api), metadata }
}

#[test]
fn a_loaded_snapshot_is_served() {
    let tables = Tables::new();
    assert!(!tables.is_loaded());
    let api = fixture::api("pizza", "http://localhost:1");
    tables.load(&fixture::snapshot(std::slice::from_ref(&api)), &fixture::artifacts(&[api]), EarlierRevocations::Drop);
    assert!(tables.is_loaded());
    assert_eq!(tables.deployed_count(), 1);
    assert_eq!(served(&tables, "/pizza/1.0.0/menu").as_deref(), Some("/pizza/1.0.0"));
    assert_eq!(served(&tables, "/pizza/menu"), None, "no default version");
}

#[test]
fn an_artifact_that_cannot_be_built_leaves_the_previous_revision_and_all_others() {
    let (pizza, pasta) = (fixture::api("pizza", "http://localhost:1"), fixture::api("pasta", "http://localhost:1"));
    let tables = loaded(&[pizza.clone(), pasta]);
    let mut broken = pizza.clone();
    broken.revision_id = RevisionId::random();
    broken.operations.push(fixture::operation("GET", "/{open"));
    let event = deployed(&broken, fixture::metadata(&broken));
    let outcome = tables.apply(&event, Some(Arc::new(broken.clone()))).unwrap();
    assert_eq!(outcome.result.unwrap_err(), "template '/{open' has braces that do not pair");
    let entry = tables.live().find_api(b"/pizza/1.0.0").unwrap().0;
    assert_eq!(entry.deployment.revision_id, pizza.revision_id);
    assert!(served(&tables, "/pasta/1.0.0").is_some());

    let outcomes =
        tables.load(&fixture::snapshot(&[broken.clone()]), &fixture::artifacts(&[broken]), EarlierRevocations::Drop);
    assert!(outcomes[0].result.is_err());
    let entry = tables.live().find_api(b"/pizza/1.0.0").unwrap().0;
    assert_eq!(entry.deployment.revision_id, pizza.revision_id, "a snapshot keeps it too");
    assert_eq!(served(&tables, "/pasta/1.0.0"), None, "the snapshot has no such API");
}

#[test]
fn a_context_of_another_api_is_refused() {
    let pizza = fixture::api("pizza", "http://localhost:1");
    let tables = loaded(std::slice::from_ref(&pizza));
    let thief = fixture::api("pizza", "http://localhost:2");
    let outcome = tables.apply(&deployed(&thief, fixture::metadata(&thief)), Some(Arc::new(thief))).unwrap();
    assert!(outcome.result.unwrap_err().starts_with("context '/pizza/1.0.0' is already served"));
    assert_eq!(tables.live().find_api(b"/pizza/1.0.0").unwrap().0.api.document.api_id, pizza.api_id);
}

#[test]
fn a_missing_or_foreign_artifact_is_refused() {
    let (pizza, pasta) = (fixture::api("pizza", "http://localhost:1"), fixture::api("pasta", "http://localhost:1"));
    let tables = Tables::new();
    let event = deployed(&pizza, fixture::metadata(&pizza));
    assert!(tables.apply(&event, None).unwrap().result.unwrap_err().contains("is not available"));
    assert!(tables.apply(&event, Some(Arc::new(pasta))).unwrap().result.unwrap_err().contains("of another API"));
    assert_eq!(tables.deployed_count(), 0);
}

#[test]
fn the_default_version_is_served_without_version_once_published() {
    let (one, mut two) = (fixture::api("pizza", "http://localhost:1"), fixture::api("pizza", "http://localhost:2"));
    two.version = "2.0.0".to_owned();
    two.context = "/pizza/2.0.0".to_owned();
    let tables = loaded(&[one.clone(), two.clone()]);
    let set_default = |api: &GatewayApi, is_default_version, state| {
        tables.apply(
            &Event::ApiUpdated(domain::runtime::ApiMetadata { is_default_version, state, ..fixture::metadata(api) }),
            None,
        );
    };
    set_default(&one, true, LifecycleState::Published);
    assert_eq!(served(&tables, "/pizza/menu").as_deref(), Some("/pizza/1.0.0"));
    set_default(&two, true, LifecycleState::Created);
    assert_eq!(served(&tables, "/pizza/menu").as_deref(), Some("/pizza/1.0.0"), "2.0.0 is not published");
    set_default(&two, true, LifecycleState::Published);
    set_default(&one, false, LifecycleState::Published);
    assert_eq!(served(&tables, "/pizza/menu").as_deref(), Some("/pizza/2.0.0"));
    set_default(&two, false, LifecycleState::Published);
    assert_eq!(served(&tables, "/pizza/menu"), None);
}

#[test]
fn an_exact_version_wins_over_a_default_version_on_the_same_path() {
    let mut nested = fixture::api("x", "http://localhost:1");
    (nested.version, nested.context, nested.default_context) = ("v1".into(), "/x/v1/v1".into(), "/x/v1".into());
    let tables = loaded(std::slice::from_ref(&nested));
    let as_default = domain::runtime::ApiMetadata { is_default_version: true, ..fixture::metadata(&nested) };
    tables.apply(&Event::ApiUpdated(as_default), None);
    assert_eq!(served(&tables, "/x/v1/a").as_deref(), Some("/x/v1/v1"));
    assert_eq!(served(&tables, "/x/v1/v1/a").as_deref(), Some("/x/v1/v1"));
    let mut exact = fixture::api("x", "http://localhost:1");
    (exact.version, exact.context) = ("v1".into(), "/x/v1".into());
    tables.apply(&deployed(&exact, fixture::metadata(&exact)), Some(Arc::new(exact)));
    assert_eq!(served(&tables, "/x/v1/a").as_deref(), Some("/x/v1"));
}

#[test]
fn an_undeployed_api_is_gone_and_its_context_free() {
    let pizza = fixture::api("pizza", "http://localhost:1");
    let tables = loaded(std::slice::from_ref(&pizza));
    let (organization, api_id) = (pizza.organization.clone(), pizza.api_id);
    let undeploy = |environment: &str| Event::ApiUndeployed {
        organization: organization.clone(),
        api_id,
        environment: environment.to_owned(),
    };
    tables.apply(&undeploy("Elsewhere"), None);
    assert_eq!(tables.deployed_count(), 1);
    tables.apply(&undeploy("Default"), None);
    assert_eq!((tables.deployed_count(), served(&tables, "/pizza/1.0.0")), (0, None));
    let next = fixture::api("pizza", "http://localhost:1");
    assert!(tables.apply(&deployed(&next, fixture::metadata(&next)), Some(Arc::new(next))).unwrap().result.is_ok());
}

#[test]
fn an_application_takes_its_keys_and_subscriptions_with_it() {
    let tables = loaded(&[]);
    let (application, api) = (fixture::application("admin"), fixture::api("pizza", "http://localhost:1"));
    let mapping = fixture::key_mapping(application.id, KeyType::Production, "key");
    let subscription = fixture::subscription(application.id, api.api_id, "Gold");
    tables.apply(&Event::ApplicationUpdated(application.clone()), None);
    tables.apply(&Event::KeyMappingCreated(mapping), None);
    tables.apply(&Event::SubscriptionUpdated(subscription), None);
    let organization = Organization::super_tenant();
    let find = || {
        let live = tables.live();
        let mapping = live.consumers.find_key_holder(&organization, RESIDENT_KEY_MANAGER, "key");
        (
            live.consumers.find_application(application.id).is_some(),
            mapping.is_some(),
            live.consumers.find_subscription(application.id, api.api_id).is_some(),
        )
    };
    assert_eq!(find(), (true, true, true));
    let organization = organization.clone();
    tables.apply(&Event::ApplicationDeleted { organization, application_id: application.id }, None);
    assert_eq!(find(), (false, false, false));
}

#[test]
fn a_deletion_that_is_late_does_not_touch_a_later_subscription() {
    let tables = loaded(&[]);
    let (application, api) = (fixture::application("admin"), fixture::api("pizza", "http://localhost:1"));
    let old = fixture::subscription(application.id, api.api_id, "Gold");
    let new = fixture::subscription(application.id, api.api_id, "Silver");
    tables.apply(&Event::SubscriptionUpdated(new), None);
    let late = Event::SubscriptionDeleted {
        organization: old.organization,
        subscription_id: old.id,
        api_id: old.api_id,
        application_id: old.application_id,
    };
    tables.apply(&late, None);
    assert!(tables.live().consumers.find_subscription(application.id, api.api_id).is_some());
}

#[test]
fn a_revocation_that_is_known_survives_a_snapshot_of_the_same_log_and_no_other() {
    let tables = loaded(&[]);
    let is_revoked = || {
        let issued_at = Timestamp::from_millis(0);
        let token = TokenFacts { jti: "gone", consumer_key: "c", user: "u", issued_at };
        tables.live().revocations.covers(&token)
    };
    let revocation = Revocation::Token { jti: "gone".to_owned() };
    let expires_at = Timestamp::from_secs(1000);
    let entry = RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at };
    tables.apply(&Event::Revoked(entry), None);
    tables.load(&fixture::snapshot(&[]), &fixture::artifacts(&[]), EarlierRevocations::Keep);
    assert!(is_revoked());
    tables.load(&fixture::snapshot(&[]), &fixture::artifacts(&[]), EarlierRevocations::Drop);
    assert!(!is_revoked());
}

#[test]
fn a_tier_limits_what_its_policy_says() {
    let tables = loaded(&[]);
    let organization = Organization::super_tenant();
    let tier = |name: &str| tables.live().consumers.subscription_limits(&organization, name).tier;
    assert_eq!(tier("Tiny"), Tier::Unknown);
    tables.apply(&Event::SubscriptionPolicyUpdated(fixture::subscription_policy("Tiny", 3)), None);
    assert!(matches!(tier("Tiny"), Tier::Requests(quota) if quota.requests == 3 && quota.stops));
    assert!(matches!(tier("Unauthenticated"), Tier::Requests(quota) if quota.requests == 500));
    assert_eq!(tier("Unlimited"), Tier::Unlimited);
    let (policy_id, name) = (PolicyId::random(), "Tiny".to_owned());
    let deleted =
        Event::PolicyDeleted { organization: organization.clone(), kind: PolicyKind::Subscription, policy_id, name };
    tables.apply(&deleted, None);
    assert_eq!(tier("Tiny"), Tier::Unknown);
}
