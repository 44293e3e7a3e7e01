//! Web pages that call APIs.

use domain::api::AuthType;
use domain::cors::CorsConfiguration;
use domain::event::Event;
use domain::lifecycle::LifecycleState;
use domain::runtime::GatewayApi;
use hyper::Method;
use hyper::header::HeaderValue;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Answer, Setting, TestGateway, token};

const SHOP: &str = "https://shop.example.com";

fn with_cors(api: &mut GatewayApi, origins: &[&str], allow_credentials: bool) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    api.cors = Some(CorsConfiguration {
        allow_origins: texts(origins),
        allow_credentials,
        allow_headers: texts(&["content-type"]),
        allow_methods: texts(&["GET", "PUT"]),
    });
}

async fn back_end() -> BackEnd {
    BackEnd::with(|_| async {
        let mut reply = crate::testing::back_end::text("hello");
        reply.headers_mut().insert("access-control-allow-origin", HeaderValue::from_static("https://back.end"));
        reply
    })
    .await
}

async fn preflight(gateway: &TestGateway, path: &str, origin: &str, method: Option<&str>) -> Answer {
    let mut headers = vec![("origin", origin)];
    headers.extend(method.map(|method| ("access-control-request-method", method)));
    gateway.call(Method::OPTIONS, path, &headers, "").await
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_reaches_nobody() {
    let back_end = back_end().await;
    let mut api = fixture::api("pizza", &back_end.url());
    with_cors(&mut api, &["https://*.example.com"], true);
    let gateway = Setting::new(&[api]).start();
    let answer = preflight(&gateway, "/pizza/1.0.0/menu", SHOP, Some("POST")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert_eq!(header(&answer, "access-control-allow-origin"), Some(SHOP));
    assert_eq!(header(&answer, "access-control-allow-credentials"), Some("true"));
    assert_eq!(header(&answer, "access-control-allow-methods"), Some("GET"), "what both have");
    assert_eq!(header(&answer, "access-control-allow-headers"), Some("content-type,authorization,apikey"));
    assert_eq!(header(&answer, "vary"), Some("Origin"));
    let foreign = preflight(&gateway, "/pizza/1.0.0/menu", "https://evil.org", Some("GET")).await;
    assert_eq!(foreign.status, 200);
    for name in ["access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers"] {
        assert_eq!(header(&foreign, name), None, "{name}");
    }
    assert_eq!(back_end.calls(), 0);
}

#[tokio::test]
async fn a_preflight_for_nothing_is_told_so() {
    let gateway = Setting::new(&[fixture::api("pizza", "http://localhost:1")]).start();
    for (path, method, status) in [
        ("/pizza/1.0.0/menu", None, 405),
        ("/pizza/1.0.0/menu", Some("DELETE"), 405),
        ("/pasta/1.0.0/menu", Some("GET"), 404),
    ] {
        assert_eq!(preflight(&gateway, path, SHOP, method).await.status, status, "{path} {method:?}");
    }
}

#[tokio::test]
async fn the_actual_answer_says_who_may_read_it_and_no_more() {
    let back_end = back_end().await;
    let mut api = fixture::api("pizza", &back_end.url());
    with_cors(&mut api, &[SHOP], false);
    let gateway = Setting::new(&[api, fixture::api("open", &back_end.url())]).start();
    let authorization = format!("Bearer {}", token());
    let call = async |path, origin| {
        gateway.call(Method::GET, path, &[("authorization", &authorization), ("origin", origin)], "").await
    };
    let answer = call("/pizza/1.0.0/", SHOP).await;
    assert_eq!(header(&answer, "access-control-allow-origin"), Some(SHOP), "not what the back end said");
    for name in ["access-control-allow-methods", "access-control-allow-headers", "access-control-allow-credentials"] {
        assert_eq!(header(&answer, name), None, "{name}");
    }
    let foreign = call("/pizza/1.0.0/", "https://evil.org").await;
    assert_eq!((foreign.status.as_u16(), header(&foreign, "access-control-allow-origin")), (200, None));
    let open = call("/open/1.0.0/", "https://evil.org").await;
    assert_eq!(header(&open, "access-control-allow-origin"), Some("*"), "the gateway's own rules");
}

#[tokio::test]
async fn refusals_can_be_read_by_the_page_that_caused_them() {
    let mut api = fixture::api("pizza", "http://localhost:1");
    with_cors(&mut api, &[SHOP], false);
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    for (method, path, status) in [
        (Method::GET, "/pizza/1.0.0/", 401),
        (Method::DELETE, "/pizza/1.0.0/", 405),
        (Method::OPTIONS, "/pizza/1.0.0/", 405),
    ] {
        let answer = gateway.call(method, path, &[("origin", SHOP)], "").await;
        assert_eq!((answer.status.as_u16(), header(&answer, "access-control-allow-origin")), (status, Some(SHOP)));
    }
    let set_state = |state| {
        let metadata = domain::runtime::ApiMetadata { state, ..fixture::metadata(&api) };
        gateway.tables.apply(&Event::ApiUpdated(metadata), None);
    };
    set_state(LifecycleState::Blocked);
    assert_eq!(preflight(&gateway, "/pizza/1.0.0/", SHOP, Some("GET")).await.status, 200);
    let blocked = gateway.call(Method::GET, "/pizza/1.0.0/", &[("origin", SHOP)], "").await;
    assert_eq!((blocked.status.as_u16(), header(&blocked, "access-control-allow-origin")), (503, Some(SHOP)));
    set_state(LifecycleState::Retired);
    let retired = preflight(&gateway, "/pizza/1.0.0/", SHOP, Some("GET")).await;
    assert_eq!((retired.status.as_u16(), header(&retired, "access-control-allow-origin")), (404, None));
}

#[tokio::test]
async fn an_api_with_an_operation_for_preflights_answers_them_itself() {
    let back_end = back_end().await;
    let mut api = fixture::api("pizza", &back_end.url());
    let mut options = fixture::operation("OPTIONS", "/own");
    options.auth = AuthType::None;
    api.operations.push(options);
    with_cors(&mut api, &[SHOP], false);
    let gateway = Setting::new(&[api]).start();
    let answer = preflight(&gateway, "/pizza/1.0.0/own", SHOP, Some("GET")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "hello"));
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("https://back.end"));
    assert_eq!(back_end.calls(), 1);
}

#[tokio::test]
async fn a_gateway_without_cors_says_nothing() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    with_cors(&mut api, &["*"], false);
    let mut setting = Setting::new(&[api]);
    setting.config.cors.enabled = false;
    let gateway = setting.start();
    assert_eq!(preflight(&gateway, "/pizza/1.0.0/", SHOP, Some("GET")).await.status, 405);
    assert_eq!(header(&gateway.get("/pizza/1.0.0/").await, "access-control-allow-origin"), None);
}
