//! Publishers that try an API out, and keys of one kind that pass for no other.

use domain::event::Event;
use domain::lifecycle::LifecycleState;
use domain::runtime::{ApiMetadata, GatewayApi};
use domain::{Clock, SystemClock};
use hyper::Method;
use security::internal_key::{INTERNAL_KEY_TYPE, InternalKeyClaims};
use security::jwt::sign;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Answer, Setting, TestGateway, signing_key, token};

const API_KEY: &str = "an-opaque-api-key";

fn claims(api: &GatewayApi) -> InternalKeyClaims {
    let now = SystemClock.now().as_secs();
    InternalKeyClaims {
        sub: "publisher@carbon.super".to_owned(),
        api_id: api.api_id,
        nbf: now,
        iat: now,
        exp: now + 3600,
        iss: fixture::ISSUER.to_owned(),
        jti: uuid::Uuid::new_v4().to_string(),
    }
}

fn internal_key(claims: &InternalKeyClaims) -> String {
    sign(signing_key(), INTERNAL_KEY_TYPE, claims).unwrap().expose().clone()
}

async fn with(gateway: &TestGateway, path: &str, header: &str, value: &str) -> Answer {
    gateway.call(Method::GET, path, &[(header, value)], "").await
}

#[tokio::test]
async fn an_internal_key_opens_its_api_in_every_state_and_no_other() {
    let back_end = BackEnd::named("hello").await;
    let (api, other) = (fixture::api("pizza", &back_end.url()), fixture::api("pasta", &back_end.url()));
    let gateway = Setting::new(&[api.clone(), other]).start();
    let key = internal_key(&claims(&api));
    for state in LifecycleState::ALL {
        gateway.tables.apply(&Event::ApiUpdated(ApiMetadata { state, ..fixture::metadata(&api) }), None);
        let answer = with(&gateway, "/pizza/1.0.0/menu", "internal-key", &key).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "hello"), "{state:?}");
        assert!(!back_end.last().headers.contains_key("internal-key"));
    }
    assert_eq!(gateway.throttle.granted_for(""), 0, "trying out counts nowhere");
    let foreign = with(&gateway, "/pasta/1.0.0/menu", "internal-key", &key).await;
    assert_eq!(foreign.outcome(), (403, "900908".to_owned()));
}

#[tokio::test]
async fn a_bad_internal_key_changes_nothing() {
    let api = fixture::api("pizza", "http://localhost:1");
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    let mut expired = claims(&api);
    expired.exp = SystemClock.now().as_secs() - 60;
    let mut foreign = claims(&api);
    foreign.iss = "https://elsewhere".to_owned();
    let set_state = |state| {
        gateway.tables.apply(&Event::ApiUpdated(ApiMetadata { state, ..fixture::metadata(&api) }), None);
    };
    for key in ["nonsense", "", &internal_key(&expired), &internal_key(&foreign)] {
        for (state, expected) in [
            (LifecycleState::Published, (401, "900901")),
            (LifecycleState::Created, (401, "900901")),
            (LifecycleState::Blocked, (503, "700700")),
            (LifecycleState::Retired, (404, "404")),
        ] {
            set_state(state);
            let outcome = with(&gateway, "/pizza/1.0.0/menu", "internal-key", key).await.outcome();
            assert_eq!((outcome.0, outcome.1.as_str()), expected, "{state:?} {key}");
        }
    }
}

#[tokio::test]
async fn a_key_of_one_kind_never_passes_as_another() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.security_schemes = vec!["oauth2".to_owned(), "api_key".to_owned()];
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    let event = Event::ApiKeyCreated(fixture::api_key(gateway.application.id, API_KEY));
    gateway.tables.apply(&event, None);
    let internal = internal_key(&claims(&api));
    let kinds = [("bearer", token()), ("apikey", API_KEY.to_owned()), ("internal-key", internal)];
    for (kind, text) in &kinds {
        for place in ["bearer", "apikey", "internal-key"] {
            let (header, value) =
                if place == "bearer" { ("authorization", format!("Bearer {text}")) } else { (place, text.clone()) };
            let answer = with(&gateway, "/pizza/1.0.0/menu", header, &value).await;
            let expected = if *kind == place { 200 } else { 401 };
            assert_eq!(answer.status, expected, "{kind} as {place}");
            if expected == 401 {
                assert_eq!(answer.code(), "900901", "{kind} as {place}");
            }
        }
    }
    assert_eq!(back_end.calls(), 3);
}
