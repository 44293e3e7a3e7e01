//! The policies for APIs that stream, which every tenant starts with.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Publisher, Sandbox, Tenant};

const STREAMING: &str = "/throttling-policies/streaming/subscription";

const NAMES: [&str; 9] = [
    "AsyncBronze",
    "AsyncDefaultSubscriptionless",
    "AsyncGold",
    "AsyncSilver",
    "AsyncUnlimited",
    "AsyncWHBronze",
    "AsyncWHGold",
    "AsyncWHSilver",
    "AsyncWHUnlimited",
];

async fn names(publisher: &Publisher, path: &str, field: &str) -> Vec<String> {
    let list = publisher.get(path).await.expect(200).json()["list"].clone();
    list.as_array().unwrap().iter().map(|policy| policy[field].as_str().unwrap().to_owned()).collect()
}

/// Deletes the policies that `goes` names.
async fn delete(sandbox: &Sandbox, goes: impl Fn(&str) -> bool) {
    let collection = "/throttling/policies/subscription";
    let list = sandbox.admin().get(collection).await.expect(200).json()["list"].clone();
    for policy in list.as_array().unwrap().iter().filter(|policy| goes(policy["policyName"].as_str().unwrap())) {
        let id = policy["policyId"].as_str().unwrap();
        sandbox.admin().delete(&format!("{collection}/{id}")).await.expect(200);
    }
}

on_both_databases! {
    async fn they_are_there_in_every_tenant_and_apart_from_the_others(sandbox) {
        let tenant = Tenant::create(sandbox, "streams.example").await;
        for publisher in [sandbox.publisher(), tenant.publisher()] {
            assert_eq!(names(&publisher, STREAMING, "policyName").await, NAMES);
            let plans = names(&publisher, "/throttling-policies/subscription", "name").await;
            assert_eq!(plans, ["Bronze", "DefaultSubscriptionless", "Gold", "Silver", "Unlimited"]);
        }
        let list = sandbox.publisher().get(STREAMING).await.json()["list"].clone();
        let find = |name: &str| list.as_array().unwrap().iter().find(|own| own["policyName"] == name).unwrap().clone();
        let limit = |name: &str| find(name)["defaultLimit"].clone();
        let events = |count: u64, unit: &str| json!({
            "type": "EVENTCOUNTLIMIT", "eventCount": {"timeUnit": unit, "unitTime": 1, "eventCount": count},
        });
        assert_eq!(limit("AsyncGold"), events(50_000, "day"));
        assert_eq!(limit("AsyncWHSilver"), events(5_000, "month"));
        let subscribers: Vec<Value> = ["AsyncGold", "AsyncWHGold"].map(|name| find(name)["subscriberCount"].clone()).into();
        assert_eq!(subscribers, [json!(0), json!(1_000)]);
        let consumers = sandbox.subscriber().get("/throttling-policies/subscription").await.expect(200).text;
        assert!(consumers.contains("Gold") && !consumers.contains("Async"), "{consumers}");
    }

    async fn one_policy_is_read_by_its_name(sandbox) {
        let publisher = sandbox.publisher();
        let get = async |level: &str, name: &str| publisher.get(&format!("/throttling-policies/{level}/{name}")).await;
        let gold = get("subscription", "Gold").await.expect(200).json();
        assert_eq!((&gold["requestCount"], &gold["unitTime"], &gold["quotaPolicyType"]), (&json!(5_000), &json!(60_000), &json!("REQUESTCOUNT")));
        assert_eq!(get("subscription", "AsyncGold").await.expect(200).json()["requestCount"], 50_000);
        assert_eq!(get("api", "10KPerMin").await.expect(200).json()["requestCount"], 10_000);
        for (level, name, status) in [("subscription", "Lead", 404), ("api", "Gold", 404), ("application", "Gold", 400)] {
            get(level, name).await.expect(status);
        }
    }

    async fn tenants_of_earlier_releases_get_them_at_the_next_start_and_keep_what_was_deleted_away(sandbox) {
        delete(sandbox, |name| name.starts_with("Async")).await;
        assert_eq!(names(&sandbox.publisher(), STREAMING, "policyName").await, [""; 0]);
        sandbox.restart().await;
        assert_eq!(names(&sandbox.publisher(), STREAMING, "policyName").await, NAMES);
        delete(sandbox, |name| name == "AsyncGold").await;
        sandbox.restart().await;
        assert_eq!(names(&sandbox.publisher(), STREAMING, "policyName").await.len(), NAMES.len() - 1);
    }
}
