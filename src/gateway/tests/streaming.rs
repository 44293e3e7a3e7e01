//! Bodies go through as they come, with limits.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use config::human::{ByteSize, HumanDuration};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc;

use crate::testing::back_end::{BackEnd, text};
use crate::testing::fixture;
use crate::testing::gateway::{Setting, TestGateway, token};

/// A body that ends after `chunks` chunks of 64 KiB, made as they are asked for.
fn chunks(count: usize) -> impl Body<Data = Bytes, Error = Infallible> + Send + 'static {
    let chunk = Bytes::from(vec![b'x'; 64 << 10]);
    StreamBody::new(futures_util::stream::iter((0..count).map(move |_| Ok(Frame::data(chunk.clone())))))
}

async fn post<B>(gateway: &TestGateway, body: B) -> Response<hyper::body::Incoming>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let client = Client::builder(TokioExecutor::new()).build_http::<http_body_util::combinators::UnsyncBoxBody<_, _>>();
    let request = Request::builder()
        .method(Method::POST)
        .uri(gateway.url("/pizza/1.0.0/"))
        .header("authorization", format!("Bearer {}", token()))
        .body(body.boxed_unsync())
        .unwrap();
    client.request(request).await.unwrap()
}

/// Answers one call with what is sent to it, as it is sent.
async fn trickling_back_end() -> (mpsc::Sender<Bytes>, BackEnd) {
    let (sender, pieces) = mpsc::channel::<Bytes>(1);
    let pieces = Arc::new(Mutex::new(Some(pieces)));
    let back_end = BackEnd::with(move |_| {
        let pieces = pieces.lock().unwrap().take().unwrap();
        let frames = futures_util::stream::unfold(pieces, |mut pieces| async {
            let piece = pieces.recv().await?;
            Some((Ok(Frame::data(piece)), pieces))
        });
        async move { Response::new(StreamBody::new(frames).boxed()) }
    })
    .await;
    (sender, back_end)
}

#[tokio::test]
async fn an_answer_that_trickles_arrives_piece_by_piece() {
    let (sender, back_end) = trickling_back_end().await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    let mut answer = post(&gateway, chunks(0)).await.into_body();
    for piece in ["one", "two", "three"] {
        // The next piece is sent only after this one has arrived.
        sender.send(Bytes::from_static(piece.as_bytes())).await.unwrap();
        let frame = answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(sender);
    assert!(answer.frame().await.is_none());
}

/// Counts what comes and answers with the sum.
async fn counting_back_end() -> BackEnd {
    BackEnd::with(|request| async move {
        let (mut body, mut bytes) = (request.into_body(), 0);
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
        text(&bytes.to_string())
    })
    .await
}

#[tokio::test]
async fn a_large_body_goes_through_without_being_held() {
    let back_end = counting_back_end().await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    let before = resident_bytes();
    let answer = post(&gateway, chunks(4096)).await;
    assert_eq!(answer.status(), 200);
    let counted = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(counted, (256 << 20).to_string());
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 96 << 20, "memory grew by {grown} bytes while 256 MiB went through");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_and_while_it_comes() {
    let back_end = counting_back_end().await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.config.body_max = ByteSize::kib(100);
    let gateway = setting.start();
    let authorization = format!("Bearer {}", token());
    let announced =
        gateway.call(Method::POST, "/pizza/1.0.0/", &[("authorization", &authorization)], &"x".repeat(100 << 10)).await;
    assert_eq!((announced.status.as_u16(), announced.body.as_str()), (200, "102400"));
    let head = format!(
        "POST /pizza/1.0.0/ HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\nContent-Length: 102401\r\n\r\n"
    );
    let answer = crate::testing::raw::until_closed(gateway.http, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let streamed = post(&gateway, chunks(2)).await;
    assert_eq!(streamed.status(), 413);
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_is_told_so() {
    let back_end = counting_back_end().await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.config.body_idle_timeout = HumanDuration::from_millis(100);
    // Shorter than the client's pause: the back end is not to blame.
    setting.config.upstream.response_timeout = HumanDuration::from_millis(50);
    let gateway = setting.start();
    let request = format!(
        "POST /pizza/1.0.0/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Length: 5\r\n\r\n12",
        token()
    );
    let answer = crate::testing::raw::until_closed(gateway.http, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_back_end_that_stops_in_the_middle_cuts_the_answer_off() {
    let (sender, back_end) = trickling_back_end().await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.config.body_idle_timeout = HumanDuration::from_millis(100);
    let gateway = setting.start();
    let answer = post(&gateway, chunks(0)).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.into_body().collect().await.is_err(), "an incomplete answer must not look complete");
    drop(sender);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let mut setting = Setting::new(&[]);
    setting.config.head_timeout = HumanDuration::from_millis(100);
    let gateway = setting.start();
    until_closed_in_time(gateway.http, b"GET / HTTP/1.1\r\nHos").await;
    until_closed_in_time(gateway.https, b"").await;
}

async fn until_closed_in_time(address: SocketAddr, request: &[u8]) {
    tokio::time::timeout(Duration::from_secs(5), crate::testing::raw::until_closed(address, request)).await.unwrap();
}
