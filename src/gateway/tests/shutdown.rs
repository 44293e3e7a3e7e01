//! The end: calls in flight are answered, units go back, hung calls are cut off.

use std::sync::Arc;
use std::time::Duration;

use config::human::HumanDuration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::testing::back_end::{BackEnd, text};
use crate::testing::fixture;
use crate::testing::gateway::{Setting, token};
use crate::testing::wait::until;

#[tokio::test]
async fn a_call_in_flight_is_answered_and_no_new_one_taken() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let back_end = BackEnd::with(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.acquire().await.unwrap().forget();
            text("late")
        }
    })
    .await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.subscription_tier = "Sub".to_owned();
    setting.subscription_policies = vec![fixture::subscription_policy("Sub", 1000)];
    let gateway = Arc::new(setting.start());
    let caller = {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move { gateway.get("/pizza/1.0.0/").await })
    };
    until(|| back_end.calls() == 1).await;
    gateway.shutdown.cancel();
    loop {
        if TcpStream::connect(gateway.http).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    gate.add_permits(1);
    assert_eq!(caller.await.unwrap().body, "late");
    until(|| gateway.throttle.granted_for("sub:") == 1).await;
}

#[tokio::test]
async fn a_call_that_hangs_is_cut_off_after_the_drain_time() {
    let back_end = BackEnd::with(|_| std::future::pending()).await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.server.drain_timeout = HumanDuration::from_millis(50);
    let mut gateway = setting.start();
    let request = format!("GET /pizza/1.0.0/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n", token());
    let address = gateway.http;
    let caller = tokio::spawn(async move { crate::testing::raw::until_closed(address, request.as_bytes()).await });
    until(|| back_end.calls() == 1).await;
    gateway.shutdown.cancel();
    assert_eq!(caller.await.unwrap(), "");
    tokio::time::timeout(Duration::from_secs(10), gateway.take_running().ended()).await.unwrap();
}

#[tokio::test]
async fn a_connection_over_the_limit_waits_until_another_one_ends() {
    let mut setting = Setting::new(&[]);
    setting.config.connections_max = 1;
    let gateway = setting.start();
    let mut first = TcpStream::connect(gateway.http).await.unwrap();
    let request = b"GET /services/Version HTTP/1.1\r\nHost: a\r\n\r\n";
    first.write_all(request).await.unwrap();
    assert_ne!(first.read(&mut [0; 64]).await.unwrap(), 0);
    let mut second = TcpStream::connect(gateway.http).await.unwrap();
    second.write_all(request).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), second.read(&mut [0; 64])).await;
    assert!(early.is_err(), "served beyond the limit");
    drop(first);
    assert_ne!(second.read(&mut [0; 64]).await.unwrap(), 0);
}
