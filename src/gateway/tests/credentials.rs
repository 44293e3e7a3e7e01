//! Who may call, and what those hear who may not.

use domain::api::AuthType;
use domain::event::Event;
use domain::runtime::{Revocation, RevocationEntry};
use domain::subscription::SubscriptionState;
use domain::{Clock, Organization, SystemClock, Timestamp};
use hyper::Method;
use security::jwt::{AuthorizedUserType, sign};
use security::signing_key::{SigningAlgorithm, SigningKey};

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Setting, TestGateway, claims, signing_key, token, token_with};

async fn gateway() -> (TestGateway, domain::runtime::GatewayApi) {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    let mut open = fixture::operation("GET", "/open");
    open.auth = AuthType::None;
    let mut users = fixture::operation("GET", "/users");
    users.auth = AuthType::ApplicationUser;
    let mut scoped = fixture::operation("GET", "/scoped");
    scoped.scopes = vec!["read".to_owned(), "write".to_owned()];
    api.operations.extend([open, users, scoped]);
    (Setting::new(std::slice::from_ref(&api)).start(), api)
}

#[tokio::test]
async fn no_token_is_missing_credentials_and_a_wrong_one_invalid() {
    let (gateway, _) = gateway().await;
    let missing = gateway.call(Method::GET, "/pizza/1.0.0/", &[], "").await;
    assert_eq!(missing.outcome(), (401, "900902".to_owned()));
    assert_eq!(missing.headers["www-authenticate"], "OAuth2 realm=\"WSO2 API Manager\"");
    let other_kid = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    let mut forged = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
    forged.kid.clone_from(&signing_key().kid);
    let mut expired = claims();
    expired.exp = SystemClock.now().as_secs() - 6;
    let mut early = claims();
    early.nbf = SystemClock.now().as_secs() + 600;
    let mut foreign = claims();
    foreign.iss = "https://elsewhere".to_owned();
    for (what, token) in [
        ("no JWT", "nonsense".to_owned()),
        ("unknown key", sign(&other_kid, "at+jwt", &claims()).unwrap().expose().clone()),
        ("forged", sign(&forged, "at+jwt", &claims()).unwrap().expose().clone()),
        ("another type", sign(signing_key(), "JWT", &claims()).unwrap().expose().clone()),
        ("expired", token_with(&expired).expose().clone()),
        ("not yet valid", token_with(&early).expose().clone()),
        ("unknown issuer", token_with(&foreign).expose().clone()),
        ("empty", String::new()),
    ] {
        let answer = gateway.get_with_token("/pizza/1.0.0/", &token).await;
        assert_eq!(answer.outcome(), (401, "900901".to_owned()), "{what}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{what}: {challenge}");
    }
}

#[tokio::test]
async fn a_large_body_with_a_bad_token_still_hears_why() {
    let (gateway, _) = gateway().await;
    let body = "x".repeat(1 << 20);
    let answer = gateway.call(Method::POST, "/pizza/1.0.0/", &[("authorization", "Bearer x")], &body).await;
    assert_eq!(answer.outcome(), (401, "900901".to_owned()));
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let (gateway, _) = gateway().await;
    let revoke = |revocation| {
        let expires_at = Timestamp::from_secs(SystemClock.now().as_secs() + 3600);
        let organization = Organization::super_tenant();
        gateway.tables.apply(&Event::Revoked(RevocationEntry { organization, revocation, expires_at }), None);
    };
    let claims = claims();
    let token = token_with(&claims);
    assert_eq!(gateway.get_with_token("/pizza/1.0.0/", token.expose()).await.status, 200);
    revoke(Revocation::Token { jti: claims.jti });
    let refused = gateway.get_with_token("/pizza/1.0.0/", token.expose()).await;
    assert_eq!(refused.outcome(), (401, "900901".to_owned()));
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200, "others go on");
    let before = Timestamp::from_secs(SystemClock.now().as_secs() + 1);
    revoke(Revocation::User { user: "owner@carbon.super".to_owned(), before });
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 401);
}

#[tokio::test]
async fn an_operation_without_authentication_takes_anybody() {
    let (gateway, _) = gateway().await;
    assert_eq!(gateway.call(Method::GET, "/pizza/1.0.0/open", &[], "").await.status, 200);
    assert_eq!(gateway.get_with_token("/pizza/1.0.0/open", "nonsense").await.status, 200);
    assert_eq!(gateway.throttle.granted_for("sub:127.0.0.1:/pizza/1.0.0:1.0.0:Unauthenticated"), 3);
}

#[tokio::test]
async fn an_operation_for_users_takes_no_token_of_an_application() {
    let (gateway, _) = gateway().await;
    let answer = gateway.get_with_token("/pizza/1.0.0/users", &token()).await;
    assert_eq!(answer.outcome(), (401, "900905".to_owned()));
    let mut user = claims();
    user.aut = AuthorizedUserType::ApplicationUser;
    assert_eq!(gateway.get_with_token("/pizza/1.0.0/users", token_with(&user).expose()).await.status, 200);
}

#[tokio::test]
async fn one_of_the_scopes_is_enough_and_none_is_forbidden() {
    let (gateway, _) = gateway().await;
    assert_eq!(gateway.get("/pizza/1.0.0/scoped").await.outcome(), (403, "900910".to_owned()));
    let mut scoped = claims();
    scoped.scope = "default write".to_owned();
    assert_eq!(gateway.get_with_token("/pizza/1.0.0/scoped", token_with(&scoped).expose()).await.status, 200);
}

#[tokio::test]
async fn a_token_for_another_audience_is_forbidden() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.audiences = vec!["pizzeria".to_owned()];
    let gateway = Setting::new(&[api]).start();
    assert_eq!(gateway.get("/pizza/1.0.0/").await.outcome(), (403, "900914".to_owned()));
    let mut meant = claims();
    meant.aud = "pizzeria".to_owned();
    assert_eq!(gateway.get_with_token("/pizza/1.0.0/", token_with(&meant).expose()).await.status, 200);
}

#[tokio::test]
async fn the_state_of_the_subscription_decides() {
    let (gateway, api) = gateway().await;
    for (state, expected) in [
        (SubscriptionState::Blocked, (401, "900907")),
        (SubscriptionState::ProdOnlyBlocked, (401, "900907")),
        (SubscriptionState::OnHold, (401, "900909")),
        (SubscriptionState::Rejected, (401, "900909")),
    ] {
        let mut subscription = fixture::subscription(gateway.application.id, api.api_id, "Unlimited");
        subscription.state = state;
        gateway.tables.apply(&Event::SubscriptionUpdated(subscription), None);
        let outcome = gateway.get("/pizza/1.0.0/").await.outcome();
        assert_eq!((outcome.0, outcome.1.as_str()), expected, "{state:?}");
    }
    gateway.subscribe(&api, "Unlimited");
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
}

#[tokio::test]
async fn without_a_subscription_the_resource_is_forbidden() {
    let (gateway, api) = gateway().await;
    let organization = Organization::super_tenant();
    gateway.tables.apply(&Event::ApplicationDeleted { organization, application_id: gateway.application.id }, None);
    assert_eq!(gateway.get("/pizza/1.0.0/").await.outcome(), (403, "900908".to_owned()));
    gateway.tables.apply(&Event::ApplicationUpdated(gateway.application.clone()), None);
    let mapping =
        fixture::key_mapping(gateway.application.id, domain::application::KeyType::Production, fixture::CONSUMER_KEY);
    gateway.tables.apply(&Event::KeyMappingCreated(mapping), None);
    assert_eq!(gateway.get("/pizza/1.0.0/").await.outcome(), (403, "900908".to_owned()));
    gateway.subscribe(&api, "Unlimited");
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
}

#[tokio::test]
async fn an_api_that_needs_no_subscription_counts_by_application() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.needs_subscription = false;
    let mut setting = Setting::new(&[]);
    setting.apis = vec![api];
    setting.subscription_tier = "Nothing".to_owned();
    let gateway = setting.start();
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
    assert!(gateway.throttle.granted_for(&format!("sub:{}:/pizza/1.0.0:1.0.0:Def", gateway.application.id)) > 0);
}
