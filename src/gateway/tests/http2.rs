//! HTTPS: HTTP/2 and HTTP/1.1 by ALPN, and back ends behind TLS.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Setting, TestGateway, token};
use crate::upstream::client_config;

#[derive(Clone, Copy)]
enum Speaks {
    Http1,
    Http2,
}

fn client(gateway: &TestGateway, speaks: Speaks) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let tls = client_config(Some(&gateway.home.path().join("tls.crt"))).unwrap();
    let builder = HttpsConnectorBuilder::new().with_tls_config(rustls::ClientConfig::clone(&tls)).https_only();
    let connector = match speaks {
        Speaks::Http1 => builder.enable_http1().build(),
        Speaks::Http2 => builder.enable_http2().build(),
    };
    Client::builder(TokioExecutor::new()).http2_only(matches!(speaks, Speaks::Http2)).build(connector)
}

#[tokio::test]
async fn both_versions_of_http_are_served_over_tls() {
    let back_end = BackEnd::named("hello").await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    for (speaks, version) in [(Speaks::Http1, Version::HTTP_11), (Speaks::Http2, Version::HTTP_2)] {
        let request = Request::builder()
            .method("POST")
            .uri(format!("https://localhost:{}/pizza/1.0.0/x", gateway.https.port()))
            .header("authorization", format!("Bearer {}", token()))
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(Full::from("body"))
            .unwrap();
        let answer = client(&gateway, speaks).request(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
        let seen = back_end.last().headers;
        assert_eq!(seen["x-forwarded-proto"], "https");
        assert_eq!(seen["x-forwarded-host"], format!("localhost:{}", gateway.https.port()).as_str());
        assert_eq!(seen["content-length"], "4");
        assert_eq!(seen["cookie"], "a=1; b=2");
    }
}

#[tokio::test]
async fn calls_of_one_connection_are_judged_one_by_one() {
    let back_end = BackEnd::named("hello").await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    let client = Arc::new(client(&gateway, Speaks::Http2));
    let calls = ["good", "bad"].into_iter().cycle().take(20).map(|kind| {
        let token = if kind == "good" { token() } else { "bad".to_owned() };
        let request = Request::builder()
            .uri(format!("https://localhost:{}/pizza/1.0.0/", gateway.https.port()))
            .header("authorization", format!("Bearer {token}"))
            .body(Full::default())
            .unwrap();
        let client = Arc::clone(&client);
        async move { (kind, client.request(request).await.unwrap().status().as_u16()) }
    });
    for (kind, status) in futures_util::future::join_all(calls).await {
        assert_eq!(status, if kind == "good" { 200 } else { 401 });
    }
}

#[tokio::test]
async fn a_back_end_behind_tls_is_called_when_its_authority_is_trusted() {
    let back_end = BackEnd::named("hello").await;
    // The first gateway is the second one's back end.
    let inner = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    let url = format!("https://localhost:{}", inner.https.port());
    let mut trusting = Setting::new(&[fixture::api("outer", &url)]);
    trusting.config.upstream.extra_ca = Some(inner.home.path().join("tls.crt"));
    let trusting = trusting.start();
    let answer = trusting.get("/outer/1.0.0/services/Version").await;
    assert!(answer.status == 200 && answer.body.contains("Gatewright"), "{answer:?}");
    let wary = Setting::new(&[fixture::api("outer", &url)]).start();
    assert_eq!(wary.get("/outer/1.0.0/services/Version").await.outcome(), (502, "101503".to_owned()));
}
