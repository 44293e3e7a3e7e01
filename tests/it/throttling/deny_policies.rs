//! Deny policies: whom they can name, and how they are switched.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::definitions::PIZZA;
use crate::support::{Sandbox, Tenant};

const COLLECTION: &str = "/throttling/deny-policies";

fn condition(kind: &str, value: impl Into<Value>) -> Value {
    json!({"conditionType": kind, "conditionValue": value.into()})
}

async fn refused(sandbox: &Sandbox, kind: &str, value: Value, reason: &str) {
    let answer = sandbox.admin().post(COLLECTION, &condition(kind, value)).await.expect(400);
    let description = answer.field("description");
    assert!(description.contains("conditionValue") && description.contains(reason), "{reason}: {description}");
}

on_both_databases! {
    async fn a_condition_of_every_type_comes_back_as_it_was_sent(sandbox) {
        let (publisher, subscriber, admin) = (sandbox.publisher(), sandbox.subscriber(), sandbox.admin());
        publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        subscriber.create_application("My-Phone: the old", "Unlimited").await;
        let subscription = "/pizza/1.0.0:admin-My-Phone: the old:SANDBOX";
        let long = "/pizza/1.0.0:1.0.0:admin-My-Phone: the old:PRODUCTION";
        let cases = [
            ("API", json!("/pizza/1.0.0"), json!("/pizza/1.0.0")),
            ("APPLICATION", json!("admin:My-Phone: the old"), json!("admin:My-Phone: the old")),
            ("USER", json!("anna"), json!("anna@carbon.super")),
            ("USER", json!("bob@carbon.super"), json!("bob@carbon.super")),
            ("IP", json!({"fixedIp": "10.0.0.1"}), json!({"fixedIp": "10.0.0.1", "invert": false})),
            ("IP", json!({"fixedIp": "::1", "invert": true}), json!({"fixedIp": "::1", "invert": true})),
            (
                "IPRANGE",
                json!({"startingIp": "10.0.0.1", "endingIp": "10.0.0.9", "invert": false}),
                json!({"startingIp": "10.0.0.1", "endingIp": "10.0.0.9", "invert": false}),
            ),
            ("SUBSCRIPTION", json!(subscription), json!(subscription)),
            ("SUBSCRIPTION", json!(long), json!(long.replace(":1.0.0:", ":"))),
        ];
        let count = cases.len();
        for (kind, sent, shown) in cases {
            let made = admin.post(COLLECTION, &condition(kind, sent.clone())).await.expect(201);
            let expected = json!({
                "conditionId": made.field("conditionId"), "conditionType": kind, "conditionValue": shown, "conditionStatus": true,
            });
            let path = format!("/throttling/deny-policy/{}", made.field("conditionId"));
            assert_eq!(made.header("location"), Some(format!("/api/am/admin/v4{path}").as_str()));
            assert_eq!((&made.json(), &admin.get(&path).await.expect(200).json()), (&expected, &expected));
            let again = admin.post(COLLECTION, &condition(kind, sent)).await.expect(409);
            assert!(again.field("description").starts_with("conditionValue:"), "{}", again.text);
        }
        let all = admin.get(COLLECTION).await.expect(200).json();
        assert_eq!(all["count"], json!(count));
        for (query, expected) in [
            ("conditionType:IP", 2), ("conditionType:IPRANGE", 1), ("conditionValue:10.0.0.1", 2),
            ("conditionType:API%20%26%20conditionValue:pizza/1.0.0", 1), ("conditionType:USER%26conditionValue:nobody", 0),
        ] {
            let found = admin.get(&format!("{COLLECTION}?query={query}")).await.expect(200).json();
            assert_eq!(found["count"], expected, "{query}: {found}");
        }
        let wrong = admin.get(&format!("{COLLECTION}?query=name:x")).await.expect(400);
        assert!(wrong.field("description").starts_with("query:"), "{}", wrong.text);
    }

    async fn a_policy_is_switched_and_deleted(sandbox) {
        let admin = sandbox.admin();
        let mut body = condition("USER", "anna");
        body["conditionStatus"] = json!(false);
        let made = admin.post(COLLECTION, &body).await.expect(201);
        assert_eq!(made.json()["conditionStatus"], false);
        let path = format!("/throttling/deny-policy/{}", made.field("conditionId"));
        for status in [true, false, true] {
            let switched = admin.patch(&path, &json!({"conditionStatus": status})).await.expect(200).json();
            assert_eq!(switched["conditionStatus"], status);
            assert_eq!(admin.get(&path).await.expect(200).json(), switched);
        }
        let refused = admin.patch(&path, &json!({"conditionStatus": "on"})).await.expect(400);
        assert!(refused.field("description").contains("conditionStatus"), "{}", refused.text);
        admin.delete(&path).await.expect(200);
        for answer in [admin.get(&path).await, admin.delete(&path).await, admin.patch(&path, &json!({"conditionStatus": true})).await] {
            answer.expect(404);
        }
    }

    async fn what_does_not_exist_or_is_no_address_is_refused(sandbox) {
        sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let range = |first: &str, last: &str| json!({"startingIp": first, "endingIp": last});
        for (kind, value, reason) in [
            ("API", json!("/pizza"), "no API"),
            ("API", json!("/pizza/2.0.0"), "no API"),
            ("API", json!("pizza/1.0.0"), "no API"),
            ("API", json!("a\u{0}b"), "control character"),
            ("API", json!(""), "1 to 512"),
            ("APPLICATION", json!("admin"), "subscriber:application"),
            ("APPLICATION", json!("admin:Nothing"), "no such application"),
            ("USER", json!("anna@other.example"), "user@carbon.super"),
            ("IP", json!({"fixedIp": "10.0.0.256"}), "fixedIp"),
            ("IP", json!({"fixedIp": "10.0.0.1", "invert": 1}), "invert"),
            ("IP", json!("10.0.0.1"), "fixedIp"),
            ("IPRANGE", range("10.0.0.9", "10.0.0.1"), "endingIp must not be before"),
            ("IPRANGE", range("10.0.0.9", "::1"), "same family"),
            ("SUBSCRIPTION", json!("/pizza/1.0.0"), "PRODUCTION or SANDBOX"),
            ("SUBSCRIPTION", json!("/pizza/1.0.0:admin-Nothing:BOTH"), "PRODUCTION or SANDBOX"),
            ("SUBSCRIPTION", json!("/pizza/1.0.0:admin-Nothing:SANDBOX"), "no such application"),
        ] {
            refused(sandbox, kind, value, reason).await;
        }
        let other = sandbox.admin().post(COLLECTION, &condition("PLANET", "Mars")).await.expect(400);
        assert!(other.field("description").contains("conditionType"), "{}", other.text);
    }

    async fn a_tenant_names_its_own_things_only(sandbox) {
        let tenant = Tenant::create(sandbox, "deny.example").await;
        tenant.publisher().publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let path = format!("/api/am/admin/v4{COLLECTION}");
        let unknown = sandbox.admin().post(COLLECTION, &condition("API", "/t/nobody.example/pizza/1.0.0")).await.expect(400);
        let foreign = sandbox.admin().post(COLLECTION, &condition("API", "/t/deny.example/pizza/1.0.0")).await.expect(400);
        assert_eq!(unknown.field("description"), foreign.field("description"));
        let made = tenant.rest.post(&path, &condition("API", "/pizza/1.0.0")).await.expect(201).json();
        assert_eq!(made["conditionValue"], "/t/deny.example/pizza/1.0.0");
        tenant.rest.post(&path, &condition("API", "/t/deny.example/pizza/1.0.0")).await.expect(409);
        assert_eq!(sandbox.admin().get(COLLECTION).await.expect(200).json()["count"], 0);
    }
}
