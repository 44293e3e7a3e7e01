//! Advanced policies on APIs and operations.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::actors::policy;

/// An API that names a policy for itself (`apiThrottlingPolicy`) or for an operation (`operations`).
fn api(name: &str, field: &str, policy: &str) -> Value {
    let mut body = json!({"name": name, "version": "1", "context": format!("/{name}")});
    body[field] = match field {
        "operations" => json!([{"target": "/a", "verb": "GET", "throttlingPolicy": policy}]),
        _ => json!(policy),
    };
    body
}

on_both_databases! {
    async fn an_api_and_its_operations_name_policies_that_exist(sandbox) {
        let publisher = sandbox.publisher();
        for field in ["operations", "apiThrottlingPolicy"] {
            let answer = publisher.post("/apis", &api("One", field, "Nowhere")).await.expect(400);
            assert!(answer.field("description").starts_with(field), "{}", answer.text);
            for policy in ["10KPerMin", "Unlimited"] {
                let made = publisher.post("/apis", &api(&format!("{field}{policy}"), field, policy)).await.expect(201);
                let shown = made.json();
                let shown = if field == "operations" { &shown[field][0]["throttlingPolicy"] } else { &shown[field] };
                assert_eq!(shown, policy);
            }
        }
        let listed = publisher.get("/throttling-policies/api").await.expect(200).json();
        let names: Vec<&str> = listed["list"].as_array().unwrap().iter().map(|own| own["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["10KPerMin", "20KPerMin", "50KPerMin", "Unlimited"]);
        let search = sandbox.admin().get("/throttling/policies/search?query=type:api").await.expect(200).json();
        let unlimited = search["list"].as_array().unwrap().iter().find(|own| own["policyName"] == "Unlimited").unwrap();
        let path = format!("/throttling/policies/advanced/{}", unlimited["uuid"].as_str().unwrap());
        sandbox.admin().delete(&path).await.expect(403);
    }

    async fn a_policy_stays_while_an_api_or_a_revision_uses_it(sandbox) {
        let (publisher, admin) = (sandbox.publisher(), sandbox.admin());
        for field in ["operations", "apiThrottlingPolicy"] {
            let policy = format!("Few-{field}");
            let path = format!("/throttling/policies/advanced/{}", admin.create_policy("advanced", &policy, 7).await);
            let id = publisher.post("/apis", &api(field, field, &policy)).await.expect(201).field("id");
            let in_use = admin.delete(&path).await.expect(403);
            assert!(in_use.field("description").contains("1 APIs"), "{}", in_use.text);
            let revision = publisher.create_revision(&id).await;
            publisher.put(&format!("/apis/{id}"), &api(field, field, "Unlimited")).await.expect(200);
            admin.delete(&path).await.expect(403);
            publisher.post(&format!("/apis/{id}/restore-revision?revisionId={revision}"), &json!({})).await;
            publisher.put(&format!("/apis/{id}"), &api(field, field, "Unlimited")).await.expect(200);
            publisher.delete(&format!("/apis/{id}/revisions/{revision}")).await.expect(200);
            admin.delete(&path).await.expect(200);
            let gone = publisher.put(&format!("/apis/{id}"), &api(field, field, &policy)).await.expect(400);
            assert!(gone.field("description").starts_with(field), "{}", gone.text);
        }
    }

    async fn values_of_conditions_are_regular_expressions_that_can_be_used(sandbox) {
        let admin = sandbox.admin();
        let with = |condition: Value| {
            let mut body = policy("advanced", "Patterns", 7);
            body["conditionalGroups"] = json!([{"conditions": [condition], "limit": body["defaultLimit"]}]);
            body
        };
        let header = |value: &str| json!({"type": "HEADERCONDITION", "headerCondition": {"headerName": "x", "headerValue": value}});
        let query = |value: &str| {
            let own = json!({"parameterName": "x", "parameterValue": value});
            json!({"type": "QUERYPARAMETERCONDITION", "queryParameterCondition": own})
        };
        let claim = |value: &str| json!({"type": "JWTCLAIMSCONDITION", "jwtClaimsCondition": {"claimUrl": "x", "attribute": value}});
        for (condition, field) in [
            (header("gold("), "headerCondition.headerValue"),
            (query("(?=a)"), "queryParameterCondition.parameterValue"),
            (claim("a{1000}{1000}"), "jwtClaimsCondition.attribute"),
        ] {
            let answer = admin.post("/throttling/policies/advanced", &with(condition)).await.expect(400);
            let description = answer.field("description");
            assert!(description.contains(field) && description.contains("regular expression"), "{field}: {description}");
        }
        admin.post("/throttling/policies/advanced", &with(header("^(gold|silver)$"))).await.expect(201);
    }
}
