//! Web pages that call APIs, from what the publisher says to what the browser hears.

use reqwest::Method;
use serde_json::json;

use crate::on_every_topology;
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::Answer;

on_every_topology! {
    async fn an_api_tells_browsers_what_its_publisher_says(sandbox) {
        let publisher = sandbox.publisher();
        let mut wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        wish["corsConfiguration"] = json!({
            "corsConfigurationEnabled": true,
            "accessControlAllowOrigins": ["https://*.example.com"],
            "accessControlAllowCredentials": true,
            "accessControlAllowHeaders": ["authorization"],
            "accessControlAllowMethods": ["GET", "DELETE"],
        });
        let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
        let read = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        assert_eq!(read["corsConfiguration"], wish["corsConfiguration"]);
        let revision = publisher.create_revision(&id).await;
        publisher.deploy(&id, &revision).await.expect(201);
        publisher.change_lifecycle(&id, "Publish").await.expect(200);
        publisher.wait_until_deployed(&id).await;
        let stranger = sandbox.anonymous_caller();
        let call = async |method, origin: &str| {
            let request = stranger.rest.request(method, "/pizza/1.0.0/menu").header("origin", origin);
            Answer::of(request.header("access-control-request-method", "GET")).await
        };
        let preflight = call(Method::OPTIONS, "https://shop.example.com").await.expect(200);
        assert_eq!(preflight.header("access-control-allow-origin"), Some("https://shop.example.com"));
        assert_eq!(preflight.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(preflight.header("access-control-allow-methods"), Some("GET"));
        assert_eq!(sandbox.backend.count(), 0);
        let refused = call(Method::GET, "https://shop.example.com").await.expect(401);
        assert_eq!(refused.header("access-control-allow-origin"), Some("https://shop.example.com"));
        assert_eq!(refused.header("access-control-allow-methods"), None);
        let foreign = call(Method::OPTIONS, "https://example.org").await.expect(200);
        assert_eq!(foreign.header("access-control-allow-origin"), None);
    }

    async fn a_configuration_that_no_gateway_could_follow_is_refused(sandbox) {
        let publisher = sandbox.publisher();
        let mut wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        for (field, value) in [
            ("accessControlAllowOrigins", json!("*")),
            ("accessControlAllowHeaders", json!(["x y"])),
            ("accessControlAllowMethods", json!([1])),
            ("corsConfigurationEnabled", json!("yes")),
        ] {
            wish["corsConfiguration"] = json!({ field: value });
            let refused = publisher.import(PIZZA, &wish).await.expect(400);
            assert!(refused.field("description").contains("corsConfiguration"), "{}", refused.text);
        }
    }
}
