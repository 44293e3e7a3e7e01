//! What each lifecycle state means at the gateway.

use domain::event::Event;
use domain::lifecycle::LifecycleState;
use domain::runtime::ApiMetadata;
use hyper::Method;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Setting, claims, token_with};

#[tokio::test]
async fn a_state_counts_at_once_and_without_a_new_revision() {
    let back_end = BackEnd::named("hello").await;
    let api = fixture::api("pizza", &back_end.url());
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    for (state, status) in [
        (LifecycleState::Published, 200),
        (LifecycleState::Blocked, 503),
        (LifecycleState::Deprecated, 200),
        (LifecycleState::Retired, 404),
        (LifecycleState::Created, 403),
        (LifecycleState::Prototyped, 200),
    ] {
        let metadata = ApiMetadata { state, ..fixture::metadata(&api) };
        gateway.tables.apply(&Event::ApiUpdated(metadata), None);
        let answer = gateway.get("/pizza/1.0.0/").await;
        assert_eq!(answer.status.as_u16(), status, "{state:?}");
        match state {
            LifecycleState::Blocked => assert_eq!(answer.code(), "700700"),
            LifecycleState::Created => {
                assert_eq!(answer.code(), "900908");
                let anonymous = gateway.call(Method::GET, "/pizza/1.0.0/", &[], "").await;
                assert_eq!(anonymous.outcome(), (401, "900902".to_owned()));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_blocked_api_says_so_on_every_path() {
    let mut api = fixture::api("pizza", "http://localhost:1");
    api.operations = vec![fixture::operation("GET", "/menu")];
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    let metadata = ApiMetadata { state: LifecycleState::Blocked, ..fixture::metadata(&api) };
    gateway.tables.apply(&Event::ApiUpdated(metadata), None);
    let answer = gateway.call(Method::DELETE, "/pizza/1.0.0/nothing", &[], "").await;
    assert_eq!(answer.outcome(), (503, "700700".to_owned()));
}

#[tokio::test]
async fn a_prototype_needs_a_token_but_no_application() {
    let back_end = BackEnd::named("hello").await;
    let api = fixture::api("pizza", &back_end.url());
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    let metadata = ApiMetadata { state: LifecycleState::Prototyped, ..fixture::metadata(&api) };
    gateway.tables.apply(&Event::ApiUpdated(metadata), None);
    let mut stranger = claims();
    stranger.client_id = "somebody".to_owned();
    assert_eq!(gateway.get_with_token("/pizza/1.0.0/", token_with(&stranger).expose()).await.status, 200);
    assert_eq!(gateway.call(Method::GET, "/pizza/1.0.0/", &[], "").await.code(), "900902");
}
