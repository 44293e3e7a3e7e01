//! Exactly so many calls pass, whoever calls how fast.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::Method;
use security::jwt::AuthorizedUserType;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Answer, Setting, TestGateway, claims, token, token_with};
use crate::testing::wait::until;

const CALLERS: usize = 32;

async fn gateway(subscription: u64, application: u64) -> (Arc<TestGateway>, BackEnd) {
    let back_end = BackEnd::named("hello").await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.subscription_tier = "Sub".to_owned();
    setting.application_tier = "App".to_owned();
    setting.subscription_policies = vec![fixture::subscription_policy("Sub", subscription)];
    setting.application_policies = vec![fixture::application_policy("App", application)];
    (Arc::new(setting.start()), back_end)
}

/// All answers to `calls` calls of each of 32 concurrent callers.
async fn storm(gateway: &Arc<TestGateway>, calls: usize) -> Vec<Answer> {
    let token = token();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (gateway, token) = (Arc::clone(gateway), token.clone());
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for _ in 0..calls {
                    answers.push(gateway.get_with_token("/pizza/1.0.0/", &token).await);
                }
                answers
            })
        })
        .collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.extend(caller.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_tier_admits_exactly_its_quota_under_concurrent_callers() {
    let (gateway, back_end) = gateway(100, 1000).await;
    let answers = storm(&gateway, 10).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((passed, back_end.calls()), (100, 100));
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert_eq!(refused.len(), CALLERS * 10 - 100);
    for answer in refused {
        assert_eq!(answer.outcome(), (429, "900804".to_owned()));
        let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1700..=1801).contains(&seconds), "{seconds}");
        assert!(answer.body.contains("\"nextAccessTime\":\""), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_application_tier_refuses_costs_the_subscription_nothing() {
    let (gateway, back_end) = gateway(1000, 50).await;
    let answers = storm(&gateway, 5).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 50);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.code() == "900803"));
    assert_eq!(back_end.calls(), 50);
    // Nothing of the subscription's units is held once its key has been idle.
    until(|| gateway.throttle.granted_for("sub:") == 50).await;
}

#[tokio::test]
async fn an_application_tier_counts_per_user() {
    let (gateway, _) = gateway(1000, 1).await;
    let as_user = |user: &str| {
        let mut claims = claims();
        claims.aut = AuthorizedUserType::ApplicationUser;
        claims.sub = user.to_owned();
        token_with(&claims).expose().clone()
    };
    for user in ["ann@carbon.super", "bob@carbon.super"] {
        assert_eq!(gateway.get_with_token("/pizza/1.0.0/", &as_user(user)).await.status, 200);
        let again = gateway.get_with_token("/pizza/1.0.0/", &as_user(user)).await;
        assert_eq!(again.outcome(), (429, "900803".to_owned()));
    }
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200, "the application itself counts for its owner");
    assert_eq!(gateway.throttle.granted_for(&format!("app:{}:owner@carbon.super", gateway.application.id)), 1);
}

#[tokio::test]
async fn a_tier_that_does_not_stop_lets_pass() {
    let back_end = BackEnd::named("hello").await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.subscription_tier = "Soft".to_owned();
    let mut policy = fixture::subscription_policy("Soft", 1);
    policy.stop_on_quota_reach = false;
    setting.subscription_policies = vec![policy];
    let gateway = setting.start();
    for _ in 0..3 {
        assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
    }
}

#[tokio::test]
async fn refused_calls_are_not_counted() {
    let (gateway, _) = gateway(1, 1).await;
    gateway.call(Method::GET, "/pizza/1.0.0/", &[], "").await;
    gateway.get_with_token("/pizza/1.0.0/", "bad").await;
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 429);
}

#[tokio::test]
async fn without_a_traffic_manager_limited_calls_are_refused_for_now() {
    let (gateway, back_end) = gateway(10, 10).await;
    gateway.throttle.is_down.store(true, Ordering::Relaxed);
    let answer = gateway.get("/pizza/1.0.0/").await;
    assert_eq!(answer.outcome(), (503, "900900".to_owned()));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(back_end.calls(), 0);
    gateway.throttle.is_down.store(false, Ordering::Relaxed);
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
}

#[tokio::test]
async fn a_tier_that_is_not_known_refuses() {
    let back_end = BackEnd::named("hello").await;
    let mut setting = Setting::new(&[fixture::api("pizza", &back_end.url())]);
    setting.subscription_tier = "Forgotten".to_owned();
    let gateway = setting.start();
    assert_eq!(gateway.get("/pizza/1.0.0/").await.outcome(), (503, "900900".to_owned()));
}

#[tokio::test]
async fn governed_answers_say_what_is_left() {
    let (gateway, _) = gateway(3, 100).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let answer = gateway.get("/pizza/1.0.0/").await;
        assert_eq!(answer.headers["ratelimit-policy"], "\"subscription\";q=3;w=3600, \"application\";q=100;w=3600");
        let limits = answer.headers["ratelimit"].to_str().unwrap().to_owned();
        left.push(limits.split(';').nth(1).unwrap().to_owned());
        assert!(limits.contains(", \"application\";r=9"), "{limits}");
    }
    assert_eq!(left, ["r=2", "r=1", "r=0"]);
    let refused = gateway.get("/pizza/1.0.0/").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["ratelimit-policy"], "\"subscription\";q=3;w=3600");
    let limits = refused.headers["ratelimit"].to_str().unwrap();
    assert!(limits.starts_with("\"subscription\";r=0;t=1"), "{limits}");
}

#[tokio::test]
async fn answers_that_nothing_limits_say_nothing_of_limits() {
    let back_end = BackEnd::named("hello").await;
    let gateway = Setting::new(&[fixture::api("pizza", &back_end.url())]).start();
    let answer = gateway.get("/pizza/1.0.0/").await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("ratelimit") && !answer.headers.contains_key("ratelimit-policy"));
}
