//! Messages that two servers could understand differently: refused with 400, and nothing more on that connection.

use std::net::SocketAddr;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Setting, TestGateway, token};
use crate::testing::raw;

async fn gateway() -> (TestGateway, BackEnd) {
    let back_end = BackEnd::named("hello").await;
    (Setting::new(&[fixture::api("pizza", &back_end.url())]).start(), back_end)
}

/// A request with a good token; `lines` are added to its head.
fn post(lines: &str, body: &str) -> String {
    format!("POST /pizza/1.0.0/ HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\n{lines}\r\n{body}", token())
}

/// The statuses of all answers on the connection, which must have been closed.
async fn statuses(address: SocketAddr, request: &str) -> Vec<u16> {
    let answer = raw::until_closed(address, request.as_bytes()).await;
    let heads = answer.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head[..3].parse().unwrap()).collect()
}

#[tokio::test]
async fn ambiguous_requests_are_refused_and_the_connection_is_closed() {
    let (gateway, back_end) = gateway().await;
    let smuggled = "GET /pizza/1.0.0/ HTTP/1.1\r\nHost: gateway\r\n\r\n";
    let chunks = format!("0\r\n\r\n{smuggled}");
    for (what, request) in [
        ("length, then coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &chunks)),
        ("coding, then length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", &chunks)),
        ("two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "123456")),
        ("a list of lengths", post("Content-Length: 5, 6\r\n", "123456")),
        ("a signed length", post("Content-Length: +5\r\n", "12345")),
        ("coding that does not end in chunked", post("Transfer-Encoding: chunked, identity\r\n", &chunks)),
        ("unknown coding", post("Transfer-Encoding: xchunked\r\n", &chunks)),
        ("coding with vertical tab", post("Transfer-Encoding: \u{b}chunked\r\n", &chunks)),
        ("folded line", post("X-A: 1\r\n 2\r\n", "")),
        ("folded first line", "GET / HTTP/1.1\r\n X: 1\r\nHost: gateway\r\n\r\n".to_owned()),
        ("space before the colon", post("Content-Length : 5\r\n", "12345")),
        ("space before the colon of the coding", post("Transfer-Encoding : chunked\r\n", &chunks)),
        ("bare line feed after a header", post("X-A: 1\nX-B: 2\r\n", "")),
        ("bare line feed after the request line", "GET /services/Version HTTP/1.1\nHost: gateway\r\n\r\n".to_owned()),
        ("bare line feed at the end", "GET /services/Version HTTP/1.1\r\nHost: gateway\r\n\n".to_owned()),
        ("bare carriage return in a header", post("X-A: 1\rX-B: 2\r\n", "")),
        ("NUL in a header", post("X-A: 1\0\r\n", "")),
        ("header without colon", post("X-A\r\n", "")),
        ("header without name", post(": 1\r\n", "")),
        ("no host", "GET /services/Version HTTP/1.1\r\n\r\n".to_owned() + smuggled),
        ("two hosts", "GET /pizza/1.0.0/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned()),
        ("host and target disagree", "GET http://a/pizza/1.0.0/ HTTP/1.1\r\nHost: b\r\n\r\n".to_owned()),
        ("host that is none", "GET /pizza/1.0.0/ HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned()),
        ("tunnel", "CONNECT gateway:443 HTTP/1.1\r\nHost: gateway:443\r\n\r\n".to_owned()),
        (
            "coding in HTTP/1.0",
            "POST /pizza/1.0.0/ HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        ("broken request line", "GET  /pizza HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("no HTTP", "\u{16}\u{3}\u{1}hello\r\n\r\n".to_owned()),
    ] {
        assert_eq!(statuses(gateway.http, &request).await, [400], "{what}");
    }
    assert_eq!(back_end.calls(), 0);
}

#[tokio::test]
async fn a_broken_chunk_ends_the_connection_without_a_second_answer() {
    let (gateway, _) = gateway().await;
    for body in ["zz\r\nhello\r\n", "5\r\nhelloXX0\r\n\r\n", "5\nhello\n0\n\n", "fffffffffffffffff\r\n"] {
        let request = post("Transfer-Encoding: chunked\r\n", body);
        let statuses = statuses(gateway.http, &format!("{request}GET / HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert!(statuses.len() <= 1 && !statuses.contains(&200), "{body:?}: {statuses:?}");
    }
}

#[tokio::test]
async fn well_formed_requests_share_a_connection() {
    let (gateway, back_end) = gateway().await;
    let request = format!(
        "{}{}{}",
        post("Content-Length: 5\r\n", "12345"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        post("Connection: close\r\n", "")
    );
    assert_eq!(statuses(gateway.http, &request).await, [200, 200, 200]);
    assert_eq!(back_end.calls(), 3);
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_lines_is_refused() {
    let (gateway, _) = gateway().await;
    let large = post(&format!("X-A: {}\r\n", "x".repeat(70_000)), "");
    assert_eq!(statuses(gateway.http, &large).await, [431]);
    let many = post(&"X-A: 1\r\n".repeat(200), "");
    assert_eq!(statuses(gateway.http, &many).await, [431]);
}

#[tokio::test]
async fn a_client_that_asks_for_leave_to_send_gets_it_only_when_its_call_may_pass() {
    let (gateway, _) = gateway().await;
    let allowed = post("Expect: 100-continue\r\nConnection: close\r\nContent-Length: 5\r\n", "12345");
    assert_eq!(statuses(gateway.http, &allowed).await.last(), Some(&200));
    let refused = "POST /pizza/1.0.0/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(statuses(gateway.http, refused).await, [401]);
}
