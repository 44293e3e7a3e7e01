//! What crosses the gateway, and what does not.

use std::net::Ipv4Addr;

use domain::api::Endpoint;
use domain::application::KeyType;
use hyper::Method;
use hyper::header::HeaderValue;
use tokio::net::TcpListener;

use crate::testing::back_end::{BackEnd, text};
use crate::testing::fixture;
use crate::testing::gateway::{Setting, token};

#[tokio::test]
async fn a_call_reaches_the_back_end_below_its_base_path_without_credentials() {
    let back_end = BackEnd::named("hello").await;
    let api = fixture::api("pizza", &format!("{}/v1", back_end.url()));
    let gateway = Setting::new(&[api]).start();
    let authorization = format!("Bearer {}", token());
    let headers = [
        ("authorization", authorization.as_str()),
        ("apikey", "secret"),
        ("internal-key", "secret"),
        ("connection", "keep-alive, x-mine"),
        ("x-mine", "1"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-custom", "kept"),
        ("activityid", "my-id"),
    ];
    let answer = gateway.call(Method::GET, "/pizza/1.0.0/a%2Fb/c?q=x%20y&r", &headers, "").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "hello"));
    assert_eq!(answer.headers["activityid"], "my-id");
    let seen = back_end.last();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/v1/a%2Fb/c?q=x%20y&r"));
    let host = HeaderValue::try_from(back_end.address.to_string()).unwrap();
    assert_eq!(seen.headers["host"], host);
    assert_eq!(seen.headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(seen.headers["x-forwarded-proto"], "http");
    assert_eq!(seen.headers["x-forwarded-host"], HeaderValue::try_from(gateway.http.to_string()).unwrap());
    assert_eq!(seen.headers["x-custom"], "kept");
    assert_eq!(seen.headers["activityid"], "my-id");
    for name in ["authorization", "apikey", "internal-key", "x-mine", "connection"] {
        assert!(!seen.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn an_answer_keeps_its_status_and_headers_but_not_those_of_the_connection() {
    let back_end = BackEnd::with(|_| async {
        let mut reply = text("teapot");
        *reply.status_mut() = hyper::StatusCode::IM_A_TEAPOT;
        reply.headers_mut().insert("server", HeaderValue::from_static("kettle"));
        reply.headers_mut().insert("connection", HeaderValue::from_static("x-hop"));
        reply.headers_mut().insert("x-hop", HeaderValue::from_static("1"));
        reply
    })
    .await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    let answer = gateway.get("/pizza/1.0.0/").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (418, "teapot"));
    assert_eq!(answer.headers["server"], "kettle");
    assert_eq!(answer.headers["content-length"], "6");
    assert!(!answer.headers.contains_key("x-hop"));
    assert_eq!(answer.headers["activityid"].len(), 36);
}

#[tokio::test]
async fn an_apis_own_token_header_is_used_and_removed() {
    let back_end = BackEnd::named("hello").await;
    let mut api = fixture::api("pizza", &back_end.url());
    api.authorization_header = "x-token".to_owned();
    let gateway = Setting::new(&[api]).start();
    let bearer = format!("Bearer {}", token());
    let headers = [("x-token", bearer.as_str()), ("authorization", "Basic eDp5")];
    assert_eq!(gateway.call(Method::GET, "/pizza/1.0.0/", &headers, "").await.status, 200);
    let seen = back_end.last().headers;
    assert!(!seen.contains_key("x-token") && !seen.contains_key("authorization"));
    assert_eq!(gateway.get("/pizza/1.0.0/").await.outcome(), (401, "900902".to_owned()));
}

#[tokio::test]
async fn the_key_type_chooses_the_back_end() {
    let (production, sandbox) = (BackEnd::named("production").await, BackEnd::named("sandbox").await);
    let mut both = fixture::api("both", &production.url());
    both.sandbox = Some(Endpoint { url: sandbox.url(), timeout_ms: None });
    let only = fixture::api("only", &production.url());
    let mut none = fixture::api("none", "http://localhost:1");
    none.production = None;
    let mut setting = Setting::new(&[both, only, none]);
    setting.key_type = KeyType::Sandbox;
    let gateway = setting.start();
    assert_eq!(gateway.get("/both/1.0.0/").await.body, "sandbox");
    let answer = gateway.get("/only/1.0.0/").await;
    assert_eq!(answer.outcome(), (403, "900901".to_owned()));
    assert!(answer.body.contains("Sandbox key offered to the API with no sandbox endpoint"), "{}", answer.body);
    assert_eq!(gateway.get("/none/1.0.0/").await.outcome(), (503, "303001".to_owned()));
}

#[tokio::test]
async fn a_back_end_that_refuses_hangs_or_hangs_up_has_its_own_code() {
    let refuses = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let refused = refuses.local_addr().unwrap();
    drop(refuses);
    let hangs = BackEnd::with(|_| std::future::pending()).await;
    let hangs_up = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let hung_up = hangs_up.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = hangs_up.accept().await {
            // Only after the request has come, so that it is the answer that is missing.
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1024]).await;
        }
    });
    let mut slow = fixture::api("slow", &hangs.url());
    slow.production = Some(Endpoint { url: hangs.url(), timeout_ms: Some(100) });
    let apis = [
        fixture::api("refused", &format!("http://{refused}")),
        slow,
        fixture::api("closed", &format!("http://{hung_up}")),
        fixture::api("tls", &format!("https://{}", hangs.address)),
    ];
    let gateway = Setting::new(&apis).start();
    assert_eq!(gateway.get("/refused/1.0.0/").await.outcome(), (502, "101503".to_owned()));
    assert_eq!(gateway.get("/slow/1.0.0/").await.outcome(), (504, "101504".to_owned()));
    assert_eq!(gateway.get("/closed/1.0.0/").await.outcome(), (502, "101505".to_owned()));
    assert_eq!(gateway.get("/tls/1.0.0/").await.outcome(), (502, "101503".to_owned()));
}

#[tokio::test]
async fn answers_are_counted_by_class_and_faults_by_code() {
    let back_end = BackEnd::named("hello").await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    gateway.get("/pizza/1.0.0/").await;
    gateway.call(Method::GET, "/pizza/1.0.0/", &[], "").await;
    let text = gateway.metrics.encode();
    for line in [
        "gatewright_gateway_requests_total{class=\"2xx\"} 1",
        "gatewright_gateway_requests_total{class=\"4xx\"} 1",
        "gatewright_gateway_faults_total{code=\"900902\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
