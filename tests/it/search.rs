//! The query language of lists, on both planes.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::rest::Credentials;
use crate::support::{Publisher, Sandbox, people};

const DEVPORTAL: &str = "/api/am/devportal/v3";

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

    async fn the_devportal_search_speaks_the_language_of_lists_and_finds_words_anywhere(sandbox) {
        let publisher = sandbox.publisher();
        seed(&publisher).await;
        let more = json!({"tags": ["Food"], "description": "Pasta al dente", "policies": ["Gold"]});
        let pasta = create(&publisher, "Pasta", "1.0.0", more).await;
        let secret = json!({"tags": ["Food", "kitchen"], "visibility": "RESTRICTED", "visibleRoles": ["cook"]});
        let secret = create(&publisher, "Secret", "1.0.0", secret).await;
        for id in [&pasta, &secret] {
            publisher.change_lifecycle(id, "Publish").await.expect(200);
        }
        let guest = people::subscriber(sandbox, "gus", &[]).await;
        let cook = people::subscriber(sandbox, "carl", &["cook"]).await;
        let (pasta, pizza, secret) = ("Pasta 1.0.0", "PizzaShack 1.0.0", "Secret 1.0.0");
        let searches: [(&str, &[&str]); 14] = [
            ("", &[pasta, pizza, secret]),
            ("food", &[pasta, pizza, secret]),
            ("crust bakes hot", &[pizza]),
            ("crust dente", &[]),
            ("\"al dente\"", &[pasta]),
            ("\"dente al\"", &[]),
            ("version:1.0.0 shack", &[pizza]),
            ("name:pasta name:shack food", &[pasta, pizza]),
            ("tag:hot tags:kitchen", &[pizza, secret]),
            ("name:P*a", &[pasta]),
            ("name:\"pasta\"", &[]),
            ("d*e", &[pasta]),
            ("team:red", &[pizza]),
            ("type:\"DOC\" food", &[]),
        ];
        for (query, expected) in searches {
            let path = format!("/search?query={}", encoded(query));
            assert_eq!(names(&cook.get(&path).await.expect(200).json()), expected, "{query}");
            let seen: Vec<&str> = expected.iter().copied().filter(|name| *name != secret).collect();
            assert_eq!(names(&guest.get(&path).await.expect(200).json()), seen, "{query}");
        }
        let page = cook.get("/search?query=food&limit=2&offset=2").await.expect(200).json();
        assert_eq!((&page["count"], &page["pagination"]["total"]), (&json!(1), &json!(3)));
        assert_eq!(names(&page), [secret]);
    }

    async fn tags_keep_their_spelling_and_count_what_the_caller_sees(sandbox) {
        let publisher = sandbox.publisher();
        let mut made = Vec::new();
        for (name, tags) in [("One", json!(["Food", "food", "Food"])), ("Two", json!(["Food", "a\u{0}b"]))] {
            made.push(create(&publisher, name, "1", json!({"tags": tags})).await);
        }
        made.push(create(&publisher, "Three", "1", json!({"tags": ["Food"], "visibility": "PRIVATE"})).await);
        for id in &made {
            publisher.change_lifecycle(id, "Publish").await.expect(200);
        }
        create(&publisher, "Unpublished", "1", json!({"tags": ["Food", "never"]})).await;
        let anybody = sandbox.rest(Credentials::None);
        let tags = async |path: &str| anybody.get(&format!("{DEVPORTAL}{path}")).await.expect(200).json();
        let count = |value: &str, count: u64| json!({"value": value, "count": count});
        let mut all = tags("/tags").await["list"].as_array().unwrap().clone();
        // The order of upper and lower case is the database's.
        all.sort_by_key(|tag| tag["value"].as_str().unwrap().to_owned());
        assert_eq!(all, [count("Food", 2), count("a b", 1), count("food", 1)]);
        let page = tags("/tags?limit=1&offset=1").await;
        assert_eq!((&page["count"], &page["pagination"]["total"]), (&json!(1), &json!(3)));
        let own = sandbox.subscriber().get("/tags").await.expect(200).json();
        assert!(own["list"].as_array().unwrap().contains(&count("Food", 3)));
        let mut api = publisher.get(&format!("/apis/{}", made[1])).await.expect(200).json();
        api["tags"] = json!(["food"]);
        publisher.put(&format!("/apis/{}", made[1]), &api).await.expect(200);
        publisher.delete(&format!("/apis/{}", made[0])).await.expect(200);
        assert_eq!(tags("/tags").await["list"], json!([count("food", 1)]));
    }

    async fn what_is_no_query_is_a_400_that_names_it(sandbox) {
        for query in ["name:", "name:\"x", "a\u{0}b", &"x".repeat(1001), &"a:b ".repeat(7)] {
            for path in ["/apis", "/search"] {
                let answer = sandbox.publisher().get(&format!("{path}?query={}", encoded(query))).await.expect(400);
                assert!(answer.field("description").starts_with("query:"), "{}", answer.text);
                let answer = sandbox.subscriber().get(&format!("{path}?query={}", encoded(query))).await.expect(400);
                assert!(answer.field("description").starts_with("query:"), "{}", answer.text);
            }
        }
    }
}
