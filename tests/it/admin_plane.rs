//! What administrators do beside the policies of subscriptions and applications.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::people;
use crate::support::tenants::Tenant;

const APPLICATION_JSON: &str = "{\"name\": \"Phone\", \"throttlingPolicy\": \"10PerMin\"}";

fn requests(count: u64) -> Value {
    json!({"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": count}})
}

fn conditions() -> Value {
    json!([
        {"type": "HEADERCONDITION", "headerCondition": {"headerName": "X-Plan", "headerValue": "gold"}},
        {"type": "IPCONDITION", "invertCondition": true,
         "ipCondition": {"ipConditionType": "IPSPECIFIC", "specificIP": "10.0.0.1"}},
        {"type": "IPCONDITION", "ipCondition":
            {"ipConditionType": "IPRANGE", "specificIP": "", "startingIP": "::1", "endingIP": "::9"}},
        {"type": "JWTCLAIMSCONDITION", "jwtClaimsCondition": {"claimUrl": "sub", "attribute": "anna"}},
        {"type": "QUERYPARAMETERCONDITION", "queryParameterCondition": {"parameterName": "q", "parameterValue": "1"}},
    ])
}

fn advanced(name: &str, conditions: &Value) -> Value {
    let groups = json!([{"description": "some", "conditions": conditions, "limit": requests(5)}]);
    json!({"policyName": name, "defaultLimit": requests(10), "conditionalGroups": groups})
}

on_both_databases! {
    async fn conditions_of_advanced_policies_come_back_as_they_were_sent(sandbox) {
        let admin = sandbox.admin();
        let created = admin.post("/throttling/policies/advanced", &advanced("Mine", &conditions())).await.expect(201);
        let path = format!("/throttling/policies/advanced/{}", created.field("policyId"));
        let read = admin.get(&path).await.expect(200).json();
        assert_eq!(read, created.json());
        let first = &read["conditionalGroups"][0]["conditions"][0];
        assert_eq!(first["headerCondition"]["headerName"], "X-Plan");
        assert_eq!(read["conditionalGroups"][0]["conditions"][1]["invertCondition"], true);
        assert_eq!(read["conditionalGroups"][0]["conditions"][2]["ipCondition"]["endingIP"], "::9");
        admin.put(&path, &read).await.expect(200);
        admin.post("/throttling/policies/advanced", &read).await.expect(409);
        admin.delete(&path).await.expect(200);
        admin.get(&path).await.expect(404);
    }

    async fn a_wrong_condition_is_named(sandbox) {
        let range = |first: &str, last: &str| {
            let ip = json!({"ipConditionType": "IPRANGE", "startingIP": first, "endingIP": last});
            json!({"type": "IPCONDITION", "ipCondition": ip})
        };
        let header = |name: &str| {
            json!({"type": "HEADERCONDITION", "headerCondition": {"headerName": name, "headerValue": "x"}})
        };
        let wrong = [
            (json!([]), "conditionalGroups[0].conditions"),
            (json!([{"type": "HEADERCONDITION"}]), "conditions[0].headerCondition"),
            (json!([range("10.0.0.9", "10.0.0.1")]), "ipCondition.endingIP"),
            (json!([range("10.0.0.9", "::1")]), "ipCondition.endingIP"),
            (json!([range("x", "::1")]), "ipCondition.startingIP"),
            (json!([header("a b")]), "headerCondition.headerName"),
            (json!([header("")]), "headerCondition.headerName"),
            (json!([{"type": "OTHER"}]), "conditions[0].type"),
        ];
        for (conditions, field) in wrong {
            let body = advanced("Wrong", &conditions);
            let answer = sandbox.admin().post("/throttling/policies/advanced", &body).await.expect(400);
            assert!(answer.field("description").contains(field), "{field}: {}", answer.text);
        }
    }

    async fn policies_are_found_by_type_and_name(sandbox) {
        let count = async |query: &str| {
            let path = format!("/throttling/policies/search?query={query}");
            sandbox.admin().get(&path).await.expect(200).json()["count"].as_u64().unwrap()
        };
        let kinds = [count("type:sub").await, count("type:app").await, count("type:api").await];
        assert_eq!(kinds[1..], [4, 4]);
        assert_eq!(count("type:all").await, kinds.iter().sum::<u64>());
        assert_eq!(count("type:global").await, 0);
        // With those for streaming, whose names have it too.
        assert_eq!(count("name:Gold+type:sub").await, 3);
        assert_eq!(count("name:%22Gold%22+type:sub").await, 1);
        assert_eq!(count("name:Gold+type:app").await, 0);
        for query in ["type:other", "tag:x"] {
            let path = format!("/throttling/policies/search?query={query}");
            let refused: Value = sandbox.admin().get(&path).await.expect(400).json();
            assert!(refused["description"].as_str().unwrap().starts_with("query:"), "{refused}");
        }
    }

    async fn an_administrator_sees_and_deletes_applications_of_all_owners(sandbox) {
        let body: Value = serde_json::from_str(APPLICATION_JSON).unwrap();
        let id = sandbox.subscriber().post("/applications", &body).await.expect(201).field("applicationId");
        let admin = sandbox.admin();
        for query in ["user=admin&name=Phone", "user=admin@carbon.super&limit=1", "name=Phone"] {
            let list = admin.get(&format!("/applications?{query}")).await.expect(200).json();
            assert_eq!((&list["count"], &list["list"][0]["applicationId"]), (&json!(1), &json!(id)), "{query}");
            assert_eq!(list["list"][0]["owner"], "admin");
        }
        for query in ["user=nobody", "name=Other", "user=a%00b"] {
            assert_eq!(admin.get(&format!("/applications?{query}")).await.expect(200).json()["count"], 0, "{query}");
        }
        admin.get("/applications?tenantDomain=other.org").await.expect(403);
        let change = format!("/applications/{id}/change-owner");
        admin.post(&format!("{change}?owner=nobody"), &json!({})).await.expect(400);
        admin.post(&change, &json!({})).await.expect(400);
        admin.post(&format!("{change}?owner=admin"), &json!({})).await.expect(200);
        admin.post("/applications/not-an-id/change-owner?owner=admin", &json!({})).await.expect(404);
        admin.delete(&format!("/applications/{id}")).await.expect(200);
        admin.delete(&format!("/applications/{id}")).await.expect(404);
        sandbox.subscriber().get(&format!("/applications/{id}")).await.expect(404);
    }

    async fn an_owner_is_changed_to_a_user_of_the_tenant_without_such_an_application_only(sandbox) {
        let body: Value = serde_json::from_str(APPLICATION_JSON).unwrap();
        let pat = people::subscriber(sandbox, "pat", &[]).await;
        Tenant::create(sandbox, "other.example").await;
        let id = sandbox.subscriber().post("/applications", &body).await.expect(201).field("applicationId");
        pat.post("/applications", &body).await.expect(201);
        let before = sandbox.subscriber().get(&format!("/applications/{id}")).await.expect(200).json();
        let change = async |owner: &str| {
            let path = format!("/applications/{id}/change-owner?owner={owner}");
            sandbox.admin().post(&path, &json!({})).await
        };
        let conflict = change("pat").await.expect(409);
        let error = conflict.json();
        assert_eq!((&error["code"], &error["message"]), (&json!(409), &json!("Conflict")), "{error}");
        assert_eq!((&error["moreInfo"], &error["error"]), (&json!(""), &json!([])), "{error}");
        assert!(conflict.field("description").contains("'pat' has an application"), "{}", conflict.text);
        for owner in ["nobody", "admin@other.example", "pat@other.example", "", "a%00b"] {
            let refused = change(owner).await.expect(400);
            assert!(refused.field("description").contains("owner"), "{owner}: {}", refused.text);
        }
        assert_eq!(sandbox.subscriber().get(&format!("/applications/{id}")).await.expect(200).json(), before);
        let free = json!({"name": "Watch", "throttlingPolicy": "Unlimited"});
        let free = sandbox.subscriber().post("/applications", &free).await.expect(201).field("applicationId");
        let path = format!("/applications/{free}/change-owner?owner=pat@carbon.super");
        sandbox.admin().post(&path, &json!({})).await.expect(200);
        pat.get(&format!("/applications/{free}")).await.expect(200);
        sandbox.subscriber().get(&format!("/applications/{free}")).await.expect(404);
    }

    async fn environments_and_tenants_can_be_looked_at(sandbox) {
        let admin = sandbox.admin();
        let list = admin.get("/environments").await.expect(200).json();
        assert_eq!((&list["list"][0]["id"], &list["list"][0]["isReadOnly"]), (&json!("Default"), &json!(true)));
        assert_eq!(admin.get("/environments/Default").await.expect(200).json(), list["list"][0]);
        admin.get("/environments/Other").await.expect(404);
        let tenant = admin.get("/tenant-info/YWRtaW4=").await.expect(200).json();
        assert_eq!(tenant, json!({"username": "admin", "tenantDomain": "carbon.super", "tenantId": -1234}));
        admin.get("/tenant-info/bm9ib2R5").await.expect(404);
        admin.get("/tenant-info/!!!").await.expect(400);
    }
}
