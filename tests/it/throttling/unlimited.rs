//! The policy without a limit, switched off.

use serde_json::{Value, json};

use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::{Answer, DatabaseKind, Sandbox};

fn refused(answer: &Answer, field: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text);
    let description = answer.field("description");
    assert!(description.starts_with(field) && description.contains("switched off"), "{field}: {description}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_choose_the_unlimited_policy_when_it_is_switched_off() {
    let mut sandbox = Sandbox::start_with(DatabaseKind::Sqlite, "[throttling]\nenable_unlimited_tier = false\n").await;
    let (publisher, subscriber, admin) = (sandbox.publisher(), sandbox.subscriber(), sandbox.admin());
    let lists = [
        publisher.get("/throttling-policies/subscription").await,
        publisher.get("/throttling-policies/api").await,
        subscriber.get("/throttling-policies/subscription").await,
        subscriber.get("/throttling-policies/application").await,
        admin.get("/throttling/policies/subscription").await,
        admin.get("/throttling/policies/application").await,
        admin.get("/throttling/policies/advanced").await,
        admin.get("/throttling/policies/search").await,
    ];
    for list in lists {
        let list = list.expect(200);
        assert!(list.json()["list"][0].is_object() && !list.text.contains("Unlimited"), "{}", list.text);
    }
    subscriber.get("/throttling-policies/application/Unlimited").await.expect(404);
    let settings = publisher.get("/settings").await.expect(200).json();
    let defaults = (&settings["defaultAdvancePolicy"], &settings["defaultSubscriptionPolicy"]);
    assert_eq!(defaults, (&json!("10KPerMin"), &json!("Bronze")));

    let wish = |policies: &[&str]| properties("Pizza", "/pizza", policies, &publisher.backend_url);
    refused(&publisher.import(PIZZA, &wish(&["Gold", "Unlimited"])).await, "policies:");
    let draft = json!({"name": "Draft", "version": "1", "context": "/draft"});
    refused(&publisher.post("/apis", &draft).await, "policies:");
    let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await.id;
    let mut changed: Value = publisher.get(&format!("/apis/{api}")).await.expect(200).json();
    changed["policies"] = json!(["Unlimited"]);
    refused(&publisher.put(&format!("/apis/{api}"), &changed).await, "policies:");

    let own = subscriber.get("/applications").await.expect(200).json();
    let id = own["list"][0]["applicationId"].as_str().unwrap();
    assert_eq!(own["list"][0]["throttlingPolicy"], "10PerMin", "the default application has a policy that there is");
    let body = json!({"name": "Phone", "throttlingPolicy": "Unlimited"});
    refused(&subscriber.post("/applications", &body).await, "throttlingPolicy:");
    refused(&subscriber.put(&format!("/applications/{id}"), &body).await, "throttlingPolicy:");
    let wish = |policy: &str| json!({"applicationId": id, "apiId": api, "throttlingPolicy": policy});
    refused(&subscriber.post("/subscriptions", &wish("Unlimited")).await, "throttlingPolicy:");
    refused(&subscriber.post("/subscriptions/multiple", &json!([wish("Unlimited")])).await, "[0].throttlingPolicy:");
    let made = subscriber.post("/subscriptions", &wish("Gold")).await.expect(201);
    let path = format!("/subscriptions/{}", made.field("subscriptionId"));
    refused(&subscriber.put(&path, &wish("Unlimited")).await, "throttlingPolicy:");
    sandbox.stop().await;
}
