//! Custom rules: key templates and sentences in place of stream queries.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::Tenant;

const COLLECTION: &str = "/throttling/policies/custom";

fn rule(name: &str, key_template: &str, rule: &str) -> Value {
    json!({"policyName": name, "description": "d", "keyTemplate": key_template, "siddhiQuery": rule})
}

on_both_databases! {
    async fn a_rule_is_created_changed_found_and_deleted(sandbox) {
        let admin = sandbox.admin();
        let sentence = "5 requests per 1 min when $apiContext == \"/pizza/1.0.0\" and not $clientIp in \"10.0.0.0/8\"";
        let made = admin.post(COLLECTION, &rule("Mine", "$userId:$apiContext", sentence)).await.expect(201);
        let path = format!("{COLLECTION}/{}", made.field("policyId"));
        assert_eq!(made.header("location"), Some(format!("/api/am/admin/v4{path}").as_str()));
        let mut read = admin.get(&path).await.expect(200).json();
        assert_eq!(read, made.json());
        assert_eq!((&read["siddhiQuery"], &read["type"], &read["isDeployed"]), (&json!(sentence), &json!("CustomRule"), &json!(true)));
        assert_eq!(admin.get(COLLECTION).await.expect(200).json()["list"], json!([read]));
        let found = admin.get("/throttling/policies/search?query=type:global").await.expect(200).json();
        assert_eq!((&found["count"], &found["list"][0]["policyName"]), (&json!(1), &json!("Mine")));
        admin.post(COLLECTION, &read).await.expect(409);
        read["siddhiQuery"] = json!("7 requests per hour");
        assert_eq!(admin.put(&path, &read).await.expect(200).json(), read);
        let renamed = rule("Other", "$userId", "7 requests per hour");
        assert!(admin.put(&path, &renamed).await.expect(400).field("description").starts_with("policyName:"));
        admin.delete(&path).await.expect(200);
        admin.get(&path).await.expect(404);
        admin.delete(&path).await.expect(404);
    }

    async fn text_that_is_no_rule_is_refused_with_its_reason(sandbox) {
        let siddhi = "FROM RequestStream SELECT userId, (userId == 'admin@carbon.super') AS isEligible INSERT INTO EligibilityStream;";
        let wrong = [
            ("$userId", siddhi, "siddhiQuery: is text of another engine"),
            ("$userId", "many requests per min", "siddhiQuery: expected a number of requests at position 0"),
            ("$userId", "5 requests per min when $plan == \"gold\"", "siddhiQuery: '$plan'"),
            ("$userId", "0 requests per min", "siddhiQuery"),
            ("$userId", "5 requests per 100000 min", "siddhiQuery.unitTime"),
            ("everybody", "5 requests per min", "keyTemplate: names no variable"),
            ("$plan", "5 requests per min", "keyTemplate: '$plan' is no variable"),
        ];
        for (key_template, text, expected) in wrong {
            let answer = sandbox.admin().post(COLLECTION, &rule("Wrong", key_template, text)).await.expect(400);
            assert!(answer.field("description").contains(expected), "{expected}: {}", answer.text);
        }
    }

    async fn a_tenant_has_so_many_rules_and_no_more(sandbox) {
        let admin = sandbox.admin();
        for number in 0..100 {
            admin.create_policy("custom", &format!("Rule{number}"), 7).await;
        }
        let refused = admin.post(COLLECTION, &rule("More", "$userId", "5 requests per min")).await.expect(400);
        assert!(refused.field("description").contains("100 policies"), "{}", refused.text);
    }

    async fn every_tenant_has_rules_of_its_own(sandbox) {
        let tenant = Tenant::create(sandbox, "rules.example").await;
        let path = format!("/api/am/admin/v4{COLLECTION}");
        let body = rule("Mine", "$userId", "5 requests per min");
        let own = tenant.rest.post(&path, &body).await.expect(201).field("policyId");
        sandbox.admin().post(COLLECTION, &body).await.expect(201);
        sandbox.admin().get(&format!("{COLLECTION}/{own}")).await.expect(404);
        assert_eq!(tenant.rest.get(&path).await.expect(200).json()["count"], 1);
    }
}
