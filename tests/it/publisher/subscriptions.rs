//! Subscriptions in the publisher: lists, and blocking end to end.

use serde_json::json;

use crate::on_both_databases;
use crate::support::definitions::PIZZA;
use crate::support::{Publisher, Sandbox};

async fn subscription_id(publisher: &Publisher, api_id: &str) -> String {
    let list = publisher.get(&format!("/subscriptions?apiId={api_id}")).await.expect(200).json();
    assert_eq!(list["count"], 1, "{list}");
    list["list"][0]["subscriptionId"].as_str().unwrap().to_owned()
}

async fn set(publisher: &Publisher, path: &str, status: u16) {
    publisher.post(&format!("/subscriptions/{path}"), &json!(null)).await.expect(status);
}

async fn sandbox_token(sandbox: &Sandbox, application_id: &str) -> String {
    sandbox.subscriber().generate_keys(application_id, "SANDBOX").await.token
}

on_both_databases! {
    async fn a_blocked_subscription_is_refused_at_the_gateway_until_it_is_unblocked(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Unlimited").await;
        let menu = format!("{}/menu", api.context);
        let production = sandbox.caller(&keys.token);
        let test = sandbox.caller(&sandbox_token(sandbox, &keys.application_id).await);
        production.wait_for(&menu, 200).await;
        test.wait_for(&menu, 200).await;
        let id = subscription_id(&publisher, &api.id).await;

        set(&publisher, &format!("block-subscription?subscriptionId={id}&blockState=BLOCKED"), 200).await;
        assert_eq!(production.wait_for(&menu, 401).await.json()["code"], "900907");
        assert_eq!(test.wait_for(&menu, 401).await.json()["code"], "900907");
        let list = publisher.get(&format!("/subscriptions?apiId={}", api.id)).await.expect(200).json();
        assert_eq!(list["list"][0]["subscriptionStatus"], "BLOCKED");

        set(&publisher, &format!("block-subscription?subscriptionId={id}&blockState=PROD_ONLY_BLOCKED"), 200).await;
        test.wait_for(&menu, 200).await;
        assert_eq!(production.get(&menu).await.expect(401).json()["code"], "900907");

        set(&publisher, &format!("unblock-subscription?subscriptionId={id}"), 200).await;
        production.wait_for(&menu, 200).await;
        test.wait_for(&menu, 200).await;
    }

    async fn subscriptions_are_listed_by_api_and_by_application_in_pages(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let other = publisher.publish(PIZZA_WITHOUT_SCOPES, "Soup", "/soup", &["Gold"]).await;
        for (name, target) in [("Phone", &api), ("Watch", &api), ("Phone two", &other)] {
            let application = subscriber.create_application(name, "Unlimited").await;
            subscriber.subscribe(&application, &target.id, "Gold").await.expect(201);
        }
        let count = async |query: &str| {
            let list = publisher.get(&format!("/subscriptions?{query}")).await.expect(200).json();
            (list["count"].as_u64().unwrap(), list["pagination"]["total"].as_u64().unwrap())
        };
        assert_eq!(count("").await, (3, 3));
        assert_eq!(count("limit=2").await, (2, 3));
        assert_eq!(count(&format!("apiId={}", api.id)).await, (2, 2));
        assert_eq!(count("query=Phone").await, (2, 2));
        assert_eq!(count(&format!("query=name:Watch&apiId={}", api.id)).await, (1, 1));
        let list = publisher.get(&format!("/subscriptions?apiId={}", other.id)).await.expect(200).json();
        let info = &list["list"][0]["applicationInfo"];
        assert_eq!((&info["name"], &info["subscriber"]), (&json!("Phone two"), &json!("admin")));
        assert_eq!(list["list"][0]["throttlingPolicy"], "Gold");
    }
}

const PIZZA_WITHOUT_SCOPES: &str = "openapi: 3.0.3\ninfo: {title: Soup, version: 1.0.0}\npaths:\n  /menu:\n    get:\n      responses:\n        \"200\": {description: soups}\n";
