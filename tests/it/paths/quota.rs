//! The live quota of a subscription: what is used, what gateways hold, what remains.

use serde_json::{Value, json};

use crate::on_every_topology;
use crate::support::actors::policy;
use crate::support::database::postgres_is_there;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Credentials, Rest};
use crate::support::{Answer, Caller, Sandbox, actors, eventually, people};

/// The only subscription of an application.
async fn subscription_of(subscriber: &actors::Subscriber, application: &str) -> String {
    let list = subscriber.get(&format!("/subscriptions?applicationId={application}")).await.expect(200).json();
    list["list"][0]["subscriptionId"].as_str().unwrap().to_owned()
}

async fn quota(subscriber: &actors::Subscriber, subscription: &str) -> Answer {
    subscriber.get(&format!("/subscriptions/{subscription}/quota")).await
}

fn units(quota: &Value) -> [u64; 4] {
    ["limit", "used", "lent", "remaining"]
        .map(|name| quota[name].as_u64().unwrap_or_else(|| panic!("no {name} in {quota}")))
}

/// Waits until exactly `used` units are told to be spent.
async fn until_used(subscriber: &actors::Subscriber, subscription: &str, used: u64) -> Value {
    eventually(&format!("{used} units are used"), async || {
        let quota = quota(subscriber, subscription).await.expect(200).json();
        let [limit, spent, lent, remaining] = units(&quota);
        assert_eq!(spent + lent + remaining, limit, "{quota}");
        (spent == used && quota["isExact"] == true).then_some(quota)
    })
    .await
}

/// Calls until the path is refused; how many calls passed.
async fn drain(caller: &Caller, path: &str) -> u64 {
    let mut passed = 0;
    loop {
        match caller.get(path).await.status {
            200 => passed += 1,
            429 => return passed,
            other => panic!("{other}"),
        }
    }
}

on_every_topology! {
    async fn a_quota_is_told_as_it_is_spent(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        sandbox.admin().create_policy("subscription", "Hundred", 100).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Hundred", "Unlimited"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Hundred").await;
        let subscription = subscription_of(&subscriber, &keys.application_id).await;
        let fresh = quota(&subscriber, &subscription).await.expect(200).json();
        assert_eq!(units(&fresh), [100, 0, 0, 100]);
        assert_eq!(
            [&fresh["subscriptionId"], &fresh["policy"], &fresh["type"], &fresh["unit"], &fresh["stopOnQuotaReach"]],
            [&json!(subscription), &json!("Hundred"), &json!("REQUESTCOUNTLIMIT"), &json!("calls"), &json!(true)]
        );
        let (start, end) = (fresh["windowStart"].as_str().unwrap(), fresh["windowEnd"].as_str().unwrap());
        assert!(start.ends_with("-01-01T00:00:00.000Z") && start < end && end.ends_with("-01-01T00:00:00.000Z"), "{fresh}");
        assert!((1..=366 * 86_400).contains(&fresh["resetsInSeconds"].as_u64().unwrap()), "{fresh}");
        let (caller, menu) = (sandbox.caller(&keys.token), format!("{}/menu", api.context));
        caller.wait_for(&menu, 200).await;
        for _ in 0..19 {
            assert_eq!(caller.get(&menu).await.status, 200);
        }
        until_used(&subscriber, &subscription, 20).await;
        assert_eq!(drain(&caller, &menu).await, 80);
        assert_eq!(units(&until_used(&subscriber, &subscription, 100).await), [100, 100, 0, 0]);
    }

    async fn a_window_that_opens_with_a_call_has_no_end_until_one_has_come(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let mut five = policy("subscription", "Five", 5);
        five["defaultLimit"]["window"] = json!("first-request");
        sandbox.admin().post("/throttling/policies/subscription", &five).await.expect(201);
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Five"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Five").await;
        let subscription = subscription_of(&subscriber, &keys.application_id).await;
        let fresh = quota(&subscriber, &subscription).await.expect(200).json();
        assert_eq!(units(&fresh), [5, 0, 0, 5]);
        assert_eq!([&fresh["isWindowOpen"], &fresh["isExact"]], [&json!(false), &json!(true)]);
        for name in ["windowStart", "windowEnd", "resetsInSeconds"] {
            assert_eq!(fresh[name], Value::Null, "{name}");
        }
        let (caller, menu) = (sandbox.caller(&keys.token), format!("{}/menu", api.context));
        caller.wait_for(&menu, 200).await;
        let open = until_used(&subscriber, &subscription, 1).await;
        assert_eq!(open["isWindowOpen"], true);
        assert!((365 * 86_400 - 600..=366 * 86_400).contains(&open["resetsInSeconds"].as_u64().unwrap()), "{open}");
        assert_eq!(drain(&caller, &menu).await, 4);
        let used = until_used(&subscriber, &subscription, 5).await;
        assert_eq!([&used["windowStart"], &used["windowEnd"]], [&open["windowStart"], &open["windowEnd"]]);
    }

    async fn a_window_of_the_calendar_is_that_of_the_tenants_zone(sandbox) {
        let (publisher, subscriber, admin) = (sandbox.publisher(), sandbox.subscriber(), sandbox.admin());
        admin.put("/tenant-config", &json!({"TimeZone": "Asia/Kolkata"})).await.expect(200);
        admin.create_policy("subscription", "Five", 5).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Five"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Five").await;
        let subscription = subscription_of(&subscriber, &keys.application_id).await;
        let (caller, menu) = (sandbox.caller(&keys.token), format!("{}/menu", api.context));
        caller.wait_for(&menu, 200).await;
        // The gateway counts in the window that is told.
        assert_eq!(drain(&caller, &menu).await, 4);
        let used = until_used(&subscriber, &subscription, 5).await;
        for name in ["windowStart", "windowEnd"] {
            assert!(used[name].as_str().unwrap().ends_with("-12-31T18:30:00.000Z"), "{used}");
        }
        assert_eq!(used["isWindowOpen"], true);
    }

    async fn a_policy_without_a_limit_has_no_quota_and_strangers_see_none(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let application = subscriber.create_application("Phone", "Unlimited").await;
        let subscription = subscriber.subscribe(&application, &api.id, "Unlimited").await.expect(201).field("subscriptionId");
        let told = quota(&subscriber, &subscription).await.expect(200).json();
        assert_eq!(told["policy"], "Unlimited");
        for name in ["type", "limit", "used", "lent", "remaining", "windowEnd", "resetsInSeconds", "isExact", "isWindowOpen"] {
            assert_eq!(told[name], Value::Null, "{name}");
        }
        let stranger = people::subscriber(sandbox, "mallory", &[]).await;
        for id in [subscription.as_str(), "00000000-0000-4000-8000-000000000000", "not-an-id"] {
            let refused = quota(&stranger, id).await.expect(404).json();
            assert!(refused["description"].as_str().unwrap().contains("subscription"), "{refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_several_gateways_hold_is_told_apart_and_without_a_traffic_manager_nothing_is() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let other = sandbox.nodes.add_gateway().await;
    let subscriber = sandbox.subscriber();
    sandbox.admin().create_policy("subscription", "Thousands", 10_000).await;
    let api = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Thousands"]).await;
    let keys = subscriber.ready_to_call("Phone", &api.id, "Thousands").await;
    let subscription = subscription_of(&subscriber, &keys.application_id).await;
    let menu = format!("{}/menu", api.context);
    let own = sandbox.caller(&keys.token);
    let port = other.addresses().gateway.unwrap().https.port();
    let second =
        Caller { rest: Rest::new(format!("https://localhost:{port}"), Credentials::Bearer(keys.token.clone())) };
    for caller in [&own, &second] {
        caller.wait_for(&menu, 200).await;
    }
    // Fast callers get leases of many units.
    let mut seen_lent = false;
    for round in 0..4 {
        for caller in [&own, &second] {
            for _ in 0..25 {
                assert_eq!(caller.get(&menu).await.status, 200);
            }
        }
        seen_lent |= quota(&subscriber, &subscription).await.expect(200).json()["lent"].as_u64().unwrap() > 0;
        until_used(&subscriber, &subscription, 2 + 50 * (round + 1)).await;
    }
    assert!(seen_lent, "gateways held nothing");
    sandbox.nodes.stop_one("traffic-manager").await;
    let refused = quota(&subscriber, &subscription).await.expect(503);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    assert!(refused.field("description").contains("traffic manager"), "{}", refused.text);
    other.shutdown().await;
    sandbox.stop().await;
}
