//! A new revision takes over between two calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::RevisionId;
use domain::event::Event;
use tokio::task::JoinHandle;

use crate::testing::back_end::BackEnd;
use crate::testing::fixture;
use crate::testing::gateway::{Setting, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_revisions_are_swapped() {
    let (one, two) = (BackEnd::named("one").await, BackEnd::named("two").await);
    let api = fixture::api("pizza", &one.url());
    let gateway = Arc::new(Setting::new(std::slice::from_ref(&api)).start());
    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (gateway, is_over, token) = (Arc::clone(&gateway), Arc::clone(&is_over), token());
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let answer = gateway.get_with_token("/pizza/1.0.0/", &token).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // A caller ends early only when its call failed; joining it below says why.
    let nobody_failed = || !callers.iter().any(JoinHandle::is_finished);
    for n in 0..200 {
        let mut next = api.clone();
        next.revision_id = RevisionId::random();
        next.production.as_mut().unwrap().url = if n % 2 == 0 { two.url() } else { one.url() };
        let before = answered.load(Ordering::Relaxed);
        gateway.deploy(&next);
        // However slowly the machine schedules the callers, each revision meets a call.
        while answered.load(Ordering::Relaxed) == before && nobody_failed() {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(gateway.get("/pizza/1.0.0/").await.body, "one", "the 200th revision");
}

#[tokio::test]
async fn an_undeployed_api_is_not_found() {
    let back_end = BackEnd::named("hello").await;
    let api = fixture::api("pizza", &back_end.url());
    let gateway = Setting::new(std::slice::from_ref(&api)).start();
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 200);
    let event = Event::ApiUndeployed {
        organization: api.organization.clone(),
        api_id: api.api_id,
        environment: "Default".to_owned(),
    };
    gateway.tables.apply(&event, None);
    assert_eq!(gateway.get("/pizza/1.0.0/").await.status, 404);
}
