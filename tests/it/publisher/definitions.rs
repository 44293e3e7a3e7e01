//! A new definition for an API.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::on_both_databases;
use crate::support::Publisher;
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::Answer;

const NEW: &str = "openapi: 3.0.1\r\n# a comment that must survive\ninfo: {title: Pizza, version: '1'}\npaths:\n  /menu:\n    get:\n      responses: {'200': {description: ok}}\n  /oven:\n    get:\n      x-auth-type: None\n      security:\n        - default: [oven:look]\n      responses: {'200': {description: ok}}\ncomponents:\n  securitySchemes:\n    default:\n      type: oauth2\n      flows:\n        implicit:\n          authorizationUrl: https://example.com\n          scopes: {'oven:look': looks into the oven}\n";

async fn put(publisher: &Publisher, id: &str, form: Form) -> Answer {
    let path = format!("/api/am/publisher/v4/apis/{id}/swagger");
    Answer::of(publisher.rest.request(Method::PUT, &path).multipart(form)).await
}

on_both_databases! {
    async fn operations_and_scopes_follow_a_new_definition(sandbox) {
        let publisher = sandbox.publisher();
        let wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
        let mut api = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        for operation in api["operations"].as_array_mut().unwrap() {
            if operation["target"] == "/menu" {
                operation["authType"] = json!("Application User");
            }
        }
        publisher.put(&format!("/apis/{id}"), &api).await.expect(200);
        let file = Part::bytes(NEW.as_bytes().to_vec()).file_name("new.yaml");
        let shown = put(&publisher, &id, Form::new().part("file", file)).await.expect(200).json();
        assert!(shown["paths"]["/oven"].is_object() && shown["paths"]["/order"].is_null(), "{shown}");
        let api = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        let operations: Vec<(&str, &str)> = api["operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| (own["target"].as_str().unwrap(), own["authType"].as_str().unwrap()))
            .collect();
        assert_eq!(operations, [("/menu", "Application User"), ("/oven", "None")]);
        assert_eq!(api["scopes"][0]["scope"]["name"], "oven:look");
        assert_eq!(api["scopes"].as_array().unwrap().len(), 1);
    }

    async fn a_definition_that_is_refused_changes_nothing(sandbox) {
        let publisher = sandbox.publisher();
        let wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
        let before = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        let broken = put(&publisher, &id, Form::new().text("apiDefinition", "{\"openapi\": \"3.0.0\"}")).await.expect(400);
        assert_eq!(broken.json()["code"], 900754);
        put(&publisher, &id, Form::new()).await.expect(400);
        put(&publisher, &id, Form::new().text("apiDefinition", NEW).text("url", "https://example.com")).await.expect(400);
        assert_eq!(publisher.get(&format!("/apis/{id}")).await.expect(200).json(), before);
        put(&publisher, "00000000-0000-4000-8000-000000000000", Form::new().text("apiDefinition", NEW)).await.expect(404);
    }
}
