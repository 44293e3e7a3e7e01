//! Scopes of the organization, used by several APIs.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::Publisher;
use crate::support::rest::Answer;

async fn api_with(publisher: &Publisher, name: &str, shared: bool, bindings: &Value) -> Answer {
    let scope = json!({"scope": {"name": "team:read", "bindings": bindings}, "shared": shared});
    let operation = json!({"target": "/x", "verb": "GET", "scopes": ["team:read"]});
    let context = format!("/{}", name.to_lowercase());
    let api =
        json!({"name": name, "version": "1.0.0", "context": context, "scopes": [scope], "operations": [operation]});
    publisher.post("/apis", &api).await
}

on_both_databases! {
    async fn a_shared_scope_is_used_by_several_apis_and_kept_while_it_is(sandbox) {
        let publisher = sandbox.publisher();
        let wish = json!({"name": "team:read", "displayName": "Read", "description": "reads", "bindings": ["Internal/publisher"]});
        let scope = publisher.post("/scopes", &wish).await.expect(201);
        assert!(scope.header("location").unwrap().ends_with(&scope.field("id")));
        let path = format!("/scopes/{}", scope.field("id"));
        publisher.post("/scopes", &wish).await.expect(409);

        let one = api_with(&publisher, "One", true, &json!([])).await.expect(201).field("id");
        api_with(&publisher, "Two", true, &json!([])).await.expect(201);
        let weakened = api_with(&publisher, "Three", false, &json!([])).await.expect(409);
        assert!(weakened.field("description").contains("shared scope"), "{}", weakened.text);
        let shown = publisher.get(&path).await.expect(200).json();
        assert_eq!((&shown["usageCount"], &shown["bindings"]), (&json!(2), &json!(["Internal/publisher"])));
        let read = publisher.get(&format!("/apis/{one}")).await.expect(200).json();
        assert_eq!((&read["scopes"][0]["shared"], &read["scopes"][0]["scope"]["name"]), (&json!(true), &json!("team:read")));

        publisher.delete(&path).await.expect(409);
        let mut renamed = wish.clone();
        renamed["name"] = json!("team:write");
        publisher.put(&path, &renamed).await.expect(400);
        let changed = publisher.put(&path, &json!({"name": "team:read", "bindings": ["admin"]})).await.expect(200).json();
        assert_eq!(changed["bindings"], json!(["admin"]));
        let list = publisher.get("/scopes?limit=1").await.expect(200).json();
        assert_eq!((&list["count"], &list["pagination"]["total"]), (&json!(1), &json!(1)));
    }

    async fn a_local_scope_belongs_to_one_api_whatever_the_flag_says(sandbox) {
        let publisher = sandbox.publisher();
        api_with(&publisher, "One", false, &json!(["admin"])).await.expect(201);
        api_with(&publisher, "Two", false, &json!([])).await.expect(409);
        api_with(&publisher, "Two", true, &json!([])).await.expect(409);
        publisher.post("/scopes", &json!({"name": "team:read"})).await.expect(409);
        for wrong in [json!({}), json!({"name": "two words"}), json!({"name": "apim:admin"}), json!({"name": 7})] {
            let refused = publisher.post("/scopes", &wrong).await.expect(400);
            assert!(refused.field("description").contains("name"), "{}", refused.text);
        }
        publisher.get("/scopes/00000000-0000-4000-8000-000000000000").await.expect(404);
        publisher.delete("/scopes/none").await.expect(404);
    }
}
