//! What subscription policies say beside their quota.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::actors::policy;
use crate::support::definitions::PIZZA;
use crate::support::people;

const COLLECTION: &str = "/throttling/policies/subscription";

fn with(name: &str, fields: &Value) -> Value {
    let mut body = policy("subscription", name, 7);
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

fn limit(kind: &str, part: &str, fields: &Value) -> Value {
    json!({"defaultLimit": {"type": kind, part: fields}})
}

on_both_databases! {
    async fn a_policy_for_some_roles_is_shown_to_them_and_taken_by_them_alone(sandbox) {
        let (publisher, admin) = (sandbox.publisher(), sandbox.admin());
        let allow = json!({"permissions": {"permissionType": "ALLOW", "roles": ["vip"]}});
        let deny = json!({"permissions": {"permissionType": "DENY", "roles": ["vip"]}});
        for (name, permissions) in [("Rich", &allow), ("Poor", &deny)] {
            let made = admin.post(COLLECTION, &with(name, permissions)).await.expect(201).json();
            assert_eq!(made["permissions"], permissions["permissions"]);
        }
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Rich", "Poor"]).await.id;
        for (user, roles, shown, hidden) in [("vera", ["vip"], "Rich", "Poor"), ("otto", ["other"], "Poor", "Rich")] {
            let subscriber = people::subscriber(sandbox, user, &roles).await;
            let list = subscriber.get("/throttling-policies/subscription").await.expect(200).text;
            assert!(list.contains(shown) && !list.contains(hidden), "{user}: {list}");
            subscriber.get(&format!("/throttling-policies/subscription/{hidden}")).await.expect(404);
            let application = subscriber.create_application("Phone", "Unlimited").await;
            let refused = subscriber.subscribe(&application, &api, hidden).await.expect(403);
            assert!(refused.field("description").contains("throttlingPolicy"), "{}", refused.text);
            let mut made = subscriber.subscribe(&application, &api, shown).await.expect(201).json();
            let path = format!("/subscriptions/{}", made["subscriptionId"].as_str().unwrap());
            made["throttlingPolicy"] = json!(hidden);
            made["requestedThrottlingPolicy"] = json!(hidden);
            subscriber.put(&path, &made).await.expect(403);
        }
    }

    async fn rates_bandwidths_and_events_are_kept(sandbox) {
        let bandwidth = json!({"timeUnit": "hour", "unitTime": 2, "dataAmount": 3, "dataUnit": "MB"});
        let events = json!({"timeUnit": "day", "unitTime": 1, "eventCount": 50_000});
        let cases = [
            ("Rate", json!({"rateLimitCount": 5, "rateLimitTimeUnit": "min"})),
            ("Bytes", limit("BANDWIDTHLIMIT", "bandwidth", &bandwidth)),
            ("Events", limit("EVENTCOUNTLIMIT", "eventCount", &events)),
            ("Graph", json!({"graphQLMaxComplexity": 400, "graphQLMaxDepth": 10, "subscriberCount": 3})),
        ];
        for (name, fields) in cases {
            let made = sandbox.admin().post(COLLECTION, &with(name, &fields)).await.expect(201);
            let read = sandbox.admin().get(&format!("{COLLECTION}/{}", made.field("policyId"))).await.expect(200).json();
            assert_eq!(read, made.json());
            for (field, value) in fields.as_object().unwrap().iter().filter(|(field, _)| *field != "defaultLimit") {
                assert_eq!(&read[field], value, "{name}");
            }
        }
    }

    async fn a_wrong_value_is_named(sandbox) {
        let bandwidth = |amount: i64, unit: &str| {
            let own = json!({"timeUnit": "hour", "unitTime": 1, "dataAmount": amount, "dataUnit": unit});
            limit("BANDWIDTHLIMIT", "bandwidth", &own)
        };
        let events = |count: i64, unit_time: i64| {
            limit("EVENTCOUNTLIMIT", "eventCount", &json!({"timeUnit": "day", "unitTime": unit_time, "eventCount": count}))
        };
        for (fields, field) in [
            (json!({"rateLimitCount": -7, "rateLimitTimeUnit": "min"}), "rateLimitCount"),
            (json!({"rateLimitCount": 9_000_000_000_000_000_000_u64, "rateLimitTimeUnit": "min"}), "rateLimitCount"),
            (json!({"rateLimitCount": 5, "rateLimitTimeUnit": "fortnight"}), "rateLimitTimeUnit"),
            (json!({"rateLimitCount": 5}), "rateLimitTimeUnit"),
            (bandwidth(0, "KB"), "defaultLimit"),
            (bandwidth(-1, "KB"), "dataAmount"),
            (bandwidth(1, "XB"), "defaultLimit.bandwidth.dataUnit"),
            (events(0, 1), "defaultLimit"),
            (events(5, 0), "defaultLimit.unitTime"),
            (json!({"billingPlan": "LOTTERY"}), "billingPlan"),
            (json!({"subscriberCount": -3}), "subscriberCount"),
            (json!({"graphQLMaxDepth": "deep"}), "graphQLMaxDepth"),
            (json!({"permissions": {"permissionType": "PERHAPS", "roles": []}}), "permissions.permissionType"),
            (json!({"permissions": {"permissionType": "ALLOW", "roles": "all"}}), "permissions.roles"),
        ] {
            let answer = sandbox.admin().post(COLLECTION, &with("Wrong", &fields)).await.expect(400);
            assert!(answer.field("description").contains(field), "{field}: {}", answer.text);
        }
    }
}
