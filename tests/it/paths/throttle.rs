//! Throttle: a limit is a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::on_every_topology;
use crate::support::Caller;
use crate::support::definitions::PIZZA;

/// `callers` people who call until one is refused each; how many calls passed in all, and the refusal that came last.
async fn storm(caller: &Caller, path: &str, callers: usize) -> (usize, crate::support::Answer) {
    let passed = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (caller, path, passed) = (caller.clone(), path.to_owned(), Arc::clone(&passed));
            tokio::spawn(async move {
                loop {
                    let answer = caller.get(&path).await;
                    match answer.status {
                        200 => passed.fetch_add(1, Ordering::Relaxed),
                        429 => return answer,
                        other => panic!("{other}: {}", answer.text),
                    };
                }
            })
        })
        .collect();
    let mut last = None;
    for task in tasks {
        last = Some(task.await.unwrap());
    }
    (passed.load(Ordering::Relaxed), last.unwrap())
}

on_every_topology! {
    async fn a_subscription_tier_of_n_admits_exactly_n(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        sandbox.admin().create_policy("subscription", "Fifty", 50).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Fifty"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Fifty").await;
        let menu = format!("{}/menu", api.context);
        let caller = sandbox.caller(&keys.token);
        caller.wait_for(&menu, 200).await;
        let (passed, refused) = storm(&caller, &menu, 32).await;
        assert_eq!(passed + 1, 50);
        assert_eq!(sandbox.backend.count(), 50);
        assert_eq!(refused.json()["code"], "900804");
        assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
        assert!(refused.json()["nextAccessTime"].as_str().unwrap().ends_with("+0000 UTC"), "{}", refused.text);
    }

    async fn an_application_tier_counts_over_all_its_apis_and_only_its_own_calls(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        sandbox.admin().create_policy("application", "Twenty", 20).await;
        let pizza = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let pasta = publisher.publish(&PIZZA.replace("order:cancel", "pasta:cancel"), "Pasta", "/pasta", &["Unlimited"]).await;
        let application = subscriber.create_application("Phone", "Twenty").await;
        for api in [&pizza, &pasta] {
            subscriber.subscribe(&application, &api.id, "Unlimited").await.expect(201);
        }
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let other = subscriber.ready_to_call("Other", &pizza.id, "Unlimited").await;
        let caller = sandbox.caller(&keys.token);
        caller.wait_for(&format!("{}/menu", pizza.context), 200).await;
        caller.wait_for(&format!("{}/menu", pasta.context), 200).await;
        let (passed, refused) = storm(&caller, &format!("{}/menu", pasta.context), 32).await;
        assert_eq!(passed + 2, 20);
        assert_eq!(refused.json()["code"], "900803");
        sandbox.caller(&other.token).wait_for(&format!("{}/menu", pizza.context), 200).await;
    }

    async fn policies_are_created_changed_and_kept_while_in_use(sandbox) {
        let (admin, subscriber) = (sandbox.admin(), sandbox.subscriber());
        let id = admin.create_policy("application", "Five", 5).await;
        let path = format!("/throttling/policies/application/{id}");
        let duplicate = json!({"policyName": "Five", "defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 1}}});
        admin.post("/throttling/policies/application", &duplicate).await.expect(409);
        let mut policy = admin.get(&path).await.expect(200).json();
        policy["defaultLimit"]["requestCount"]["requestCount"] = json!(6);
        admin.put(&path, &policy).await.expect(200);
        assert_eq!(admin.get(&path).await.json()["defaultLimit"]["requestCount"]["requestCount"], 6);
        policy["defaultLimit"]["requestCount"]["timeUnit"] = json!("fortnight");
        let refused = admin.put(&path, &policy).await.expect(400);
        assert!(refused.field("description").contains("timeUnit"), "{}", refused.text);
        let application = subscriber.create_application("Phone", "Five").await;
        admin.delete(&path).await.expect(403);
        subscriber.delete(&format!("/applications/{application}")).await.expect(200);
        admin.delete(&path).await.expect(200);
        admin.get(&path).await.expect(404);
        let names = admin.get("/throttling/policies/subscription").await.expect(200).json();
        assert!(names["list"].as_array().unwrap().iter().any(|policy| policy["policyName"] == "Gold"));
    }
}
