//! The query language of lists, on both planes.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Publisher, Sandbox};

async fn create(publisher: &Publisher, name: &str, version: &str, more: Value) -> String {
    let mut body = json!({"name": name, "version": version, "context": format!("/{name}"), "policies": ["Gold"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    publisher.post("/apis", &body).await.expect(201).field("id")
}

async fn seed(publisher: &Publisher) {
    let property = json!([{"name": "team", "value": "Red", "display": false}]);
    let pizza = json!({"tags": ["food", "hot"], "description": "Bakes 100% crust", "additionalProperties": property});
    let first = create(publisher, "PizzaShack", "1.0.0", pizza).await;
    create(publisher, "PizzaShack", "2.0.0", json!({"tags": ["food"]})).await;
    create(publisher, "Pizza", "1.0.0", json!({})).await;
    create(publisher, "pizza", "1.0.0", json!({"context": "/lower"})).await;
    create(publisher, "Weather_Now", "1.0.0", json!({"tags": ["sky"]})).await;
    publisher.change_lifecycle(&first, "Publish").await.expect(200);
}

fn names(list: &Value) -> Vec<String> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let mut names: Vec<String> = list["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {}", text(item, "name"), text(item, "version")))
        .collect();
    names.sort();
    names
}

fn encoded(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

async fn find(sandbox: &Sandbox, query: &str) -> Vec<String> {
    names(&sandbox.publisher().get(&format!("/apis?query={}", encoded(query))).await.expect(200).json())
}

on_both_databases! {
    async fn every_key_finds_what_it_names(sandbox) {
        seed(&sandbox.publisher()).await;
        let (all, one) = (["Pizza 1.0.0", "PizzaShack 1.0.0", "PizzaShack 2.0.0", "pizza 1.0.0"], ["PizzaShack 1.0.0"]);
        assert_eq!(find(sandbox, "PIZZA").await, all);
        assert_eq!(find(sandbox, "name:\"pizza\"").await, ["pizza 1.0.0"]);
        assert_eq!(find(sandbox, "name:\"PizzaShack\" version:\"1.0.0\" provider:\"admin\"").await, one);
        assert_eq!(find(sandbox, "name:*shack version:2*").await, ["PizzaShack 2.0.0"]);
        assert_eq!(find(sandbox, "tag:hot tags:sky").await, ["PizzaShack 1.0.0", "Weather_Now 1.0.0"]);
        assert_eq!(find(sandbox, "tag:foo").await, Vec::<String>::new());
        assert_eq!(find(sandbox, "tag:food version:2.0").await, ["PizzaShack 2.0.0"]);
        assert_eq!(find(sandbox, "status:published").await, one);
        assert_eq!(find(sandbox, "context:/lower").await, ["pizza 1.0.0"]);
        assert_eq!(find(sandbox, "description:100%").await, one);
        assert_eq!(find(sandbox, "description:1_0").await, Vec::<String>::new());
        assert_eq!(find(sandbox, "team:red").await, one);
        assert_eq!(find(sandbox, "content:100% crust").await, one);
        assert_eq!(find(sandbox, "type:\"APIProduct\" pizza").await, Vec::<String>::new());
        assert_eq!(find(sandbox, "doc:anything").await, Vec::<String>::new());
    }

    async fn pages_do_not_overlap_and_totals_are_exact(sandbox) {
        seed(&sandbox.publisher()).await;
        let mut seen = Vec::new();
        for offset in [0, 2, 4, 6] {
            let path = format!("/apis?limit=2&offset={offset}&sortBy=apiName&sortOrder=asc&query=version:1.0.0");
            let page = sandbox.publisher().get(&path).await.expect(200).json();
            assert_eq!(page["pagination"]["total"], 4);
            seen.extend(names(&page));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }

    async fn a_change_is_found_by_its_new_values_only(sandbox) {
        let publisher = sandbox.publisher();
        let id = create(&publisher, "Menu", "1", json!({"tags": ["old"]})).await;
        let mut api = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        api["tags"] = json!(["new"]);
        publisher.put(&format!("/apis/{id}"), &api).await.expect(200);
        assert_eq!(find(sandbox, "tag:old").await, Vec::<String>::new());
        assert_eq!(find(sandbox, "tag:new").await, ["Menu 1"]);
        publisher.delete(&format!("/apis/{id}")).await.expect(200);
        assert_eq!(find(sandbox, "tag:new").await, Vec::<String>::new());
    }

    async fn command_line_clients_look_up_ids(sandbox) {
        seed(&sandbox.publisher()).await;
        let query = encoded("name:\"Pizza\" version:\"1.0.0\"");
        let found = sandbox.publisher().get(&format!("/search?query={query}")).await.expect(200).json();
        assert_eq!((&found["count"], &found["list"][0]["name"]), (&json!(1), &json!("Pizza")));
        assert_eq!(found["list"][0]["type"], "API");
        assert_eq!(found["list"][0]["status"], "CREATED");
        assert_eq!(found["list"][0]["provider"], "admin");
        for kind in ["APIProduct", "MCP"] {
            let query = encoded(&format!("name:\"Pizza\" version:\"1.0.0\" type:\"{kind}\""));
            let none = sandbox.publisher().get(&format!("/search?query={query}")).await.expect(200).json();
            assert_eq!(none["count"], 0, "{kind}");
        }
    }

    async fn the_devportal_searches_published_apis_only(sandbox) {
        seed(&sandbox.publisher()).await;
        let list = sandbox.subscriber().get("/apis?query=pizza").await.expect(200).json();
        assert_eq!(names(&list), ["PizzaShack 1.0.0"]);
        assert_eq!(list["pagination"]["total"], 1);
        let refused = sandbox.subscriber().get("/apis?query=status:CREATED").await.expect(400);
        assert!(refused.field("description").starts_with("query:"), "{}", refused.text);
    }

    async fn what_is_no_query_is_a_400_that_names_it(sandbox) {
        for query in ["name:", "name:\"x", "a\u{0}b", &"x".repeat(1001), &"a:b ".repeat(7)] {
            for path in ["/apis", "/search"] {
                let answer = sandbox.publisher().get(&format!("{path}?query={}", encoded(query))).await.expect(400);
                assert!(answer.field("description").starts_with("query:"), "{}", answer.text);
            }
        }
    }
}
