//! Publish: from a definition to gateways that serve it.

use reqwest::multipart::Form;
use serde_json::{Value, json};

use crate::on_every_topology;
use crate::support::actors::properties;
use crate::support::definitions::{PIZZA, PIZZA_V2, PIZZA_V31};
use crate::support::rest::Answer;

fn verbs_and_targets(api: &Value) -> Vec<String> {
    let operations = api["operations"].as_array().unwrap();
    operations
        .iter()
        .map(|operation| format!("{} {}", operation["verb"].as_str().unwrap(), operation["target"].as_str().unwrap()))
        .collect()
}

on_every_topology! {
    async fn an_imported_api_is_created_with_its_operations_and_scopes(sandbox) {
        let publisher = sandbox.publisher();
        let answer = publisher.import(PIZZA, &properties("Pizza", "/pizza", &["Gold"], "http://localhost:1")).await.expect(201);
        let api = answer.json();
        assert_eq!(answer.header("location").unwrap(), format!("/api/am/publisher/v4/apis/{}", api["id"].as_str().unwrap()));
        assert_eq!(api["lifeCycleStatus"], "CREATED");
        assert_eq!(api["context"], "/pizza");
        assert_eq!(verbs_and_targets(&api), ["GET /menu", "GET /menu/{id}", "POST /order", "POST /order/{orderId}/cancel"]);
        assert_eq!(api["scopes"][0]["scope"]["name"], "order:cancel");
        let swagger = publisher.get(&format!("/apis/{}/swagger", api["id"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(swagger["info"]["title"], "Pizza");
        assert!(swagger["paths"]["/order/{orderId}/cancel"]["post"].is_object(), "{swagger}");
    }

    async fn all_three_generations_of_openapi_are_imported(sandbox) {
        let publisher = sandbox.publisher();
        for (definition, name, version) in [(PIZZA_V2, "Two", "2.0"), (PIZZA, "Three", "3.0.3"), (PIZZA_V31, "ThreeOne", "3.1.0")] {
            let form = Form::new().text("inlineAPIDefinition", definition);
            let report = publisher.multipart("/apis/validate-openapi?returnContent=true", form).await.expect(200).json();
            assert_eq!(report["isValid"], true, "{report}");
            assert_eq!(report["info"]["openAPIVersion"], version);
            assert_eq!(report["content"], definition);
            let properties = properties(name, &format!("/{name}"), &["Gold"], "http://localhost:1").to_string();
            let form = Form::new().text("inlineAPIDefinition", definition).text("additionalProperties", properties);
            publisher.multipart("/apis/import-openapi", form).await.expect(201);
        }
    }

    async fn a_broken_definition_is_reported_with_its_place_and_leaves_nothing(sandbox) {
        let publisher = sandbox.publisher();
        let broken = r#"{"openapi": "3.0.1", "info": {"title": "X", "version": "1"}, "paths": {"menu": {}}}"#;
        let form = Form::new().text("inlineAPIDefinition", broken);
        let report = publisher.multipart("/apis/validate-openapi", form).await.expect(200).json();
        assert_eq!(report["isValid"], false);
        assert!(report["errors"][0]["description"].as_str().unwrap().contains("/paths/menu"), "{report}");
        let refused = publisher.import(broken, &properties("Broken", "/broken", &["Gold"], "http://localhost:1")).await.expect(400);
        assert_eq!(refused.json()["code"], 900754);
        assert_eq!(publisher.get("/apis?query=name:Broken").await.expect(200).json()["pagination"]["total"], 0);
    }

    async fn a_deployment_counts_the_gateways_that_acknowledged_it(sandbox) {
        let publisher = sandbox.publisher();
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let revisions = publisher.get(&format!("/apis/{}/revisions", api.id)).await.expect(200).json();
        assert_eq!(revisions["count"], 1);
        assert_eq!(revisions["list"][0]["displayName"], "Revision 1");
        let deployment = &revisions["list"][0]["deploymentInfo"][0];
        assert_eq!((&deployment["liveGatewayCount"], &deployment["deployedGatewayCount"], &deployment["failedGatewayCount"]), (&json!(1), &json!(1), &json!(0)));
        assert!(deployment["successDeployedTime"].is_string(), "{deployment}");
    }

    async fn a_change_reaches_traffic_only_with_a_new_revision(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let keys = subscriber.ready_to_call("Phone", &api.id, "Unlimited").await;
        let caller = sandbox.caller(&keys.token);
        caller.wait_for(&format!("{}/menu", api.context), 200).await;
        let mut working_copy = publisher.get(&format!("/apis/{}", api.id)).await.expect(200).json();
        working_copy["operations"].as_array_mut().unwrap().push(json!({"verb": "GET", "target": "/news"}));
        publisher.put(&format!("/apis/{}", api.id), &working_copy).await.expect(200);
        caller.get(&format!("{}/news", api.context)).await.expect(404);
        let revision = publisher.create_revision(&api.id).await;
        publisher.deploy(&api.id, &revision).await.expect(201);
        caller.wait_for(&format!("{}/news", api.context), 200).await;
        caller.get(&format!("{}/menu", api.context)).await.expect(200);
    }

    async fn an_undeployed_revision_is_gone_by_id_and_by_number(sandbox) {
        let publisher = sandbox.publisher();
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let caller = sandbox.anonymous_caller();
        caller.wait_for(&format!("{}/menu", api.context), 401).await;
        publisher.post(&format!("/apis/{}/undeploy-revision?revisionNumber=1", api.id), &json!([{"name": "Default"}])).await.expect(201);
        caller.wait_for(&format!("{}/menu", api.context), 404).await;
        let revision = publisher.get(&format!("/apis/{}/revisions", api.id)).await.json()["list"][0]["id"].as_str().unwrap().to_owned();
        publisher.deploy(&api.id, &revision).await.expect(201);
        caller.wait_for(&format!("{}/menu", api.context), 401).await;
        publisher.post(&format!("/apis/{}/undeploy-revision?revisionId={revision}&allEnvironments=true", api.id), &json!([])).await.expect(201);
        caller.wait_for(&format!("{}/menu", api.context), 404).await;
    }

    async fn a_stale_if_match_is_412_and_without_one_the_last_write_wins(sandbox) {
        let publisher = sandbox.publisher();
        let created = publisher.import(PIZZA, &properties("Pizza", "/pizza", &["Gold"], "http://localhost:1")).await.expect(201);
        let path = format!("/api/am/publisher/v4/apis/{}", created.field("id"));
        let tag = created.header("etag").unwrap().to_owned();
        let put = async |description: &str, tag: Option<&str>| {
            let mut api = created.json();
            api["description"] = json!(description);
            let mut request = publisher.rest.request(reqwest::Method::PUT, &path).json(&api);
            if let Some(tag) = tag {
                request = request.header("if-match", tag);
            }
            Answer::of(request).await
        };
        put("first", Some(&tag)).await.expect(200);
        put("second", Some(&tag)).await.expect(412);
        assert_eq!(publisher.rest.get(&path).await.json()["description"], "first");
        put("third", None).await.expect(200);
        assert_eq!(publisher.rest.get(&path).await.json()["description"], "third");
    }

    async fn the_lifecycle_offers_and_allows_exactly_its_transitions(sandbox) {
        let publisher = sandbox.publisher();
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let state = publisher.get(&format!("/apis/{}/lifecycle-state", api.id)).await.expect(200).json();
        assert_eq!(state["state"], "Published");
        let events: Vec<&str> = state["availableTransitions"].as_array().unwrap().iter().map(|edge| edge["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["Deploy as a Prototype", "Block", "Demote to Created", "Deprecate"]);
        publisher.change_lifecycle(&api.id, "Retire").await.expect(400);
        publisher.change_lifecycle(&api.id, "Jump").await.expect(400);
        publisher.change_lifecycle(&api.id, "Block").await.expect(200);
        let caller = sandbox.anonymous_caller();
        let blocked = caller.wait_for(&format!("{}/menu", api.context), 503).await;
        assert_eq!(blocked.json()["code"], "700700");
        publisher.change_lifecycle(&api.id, "Re-Publish").await.expect(200);
        caller.wait_for(&format!("{}/menu", api.context), 401).await;
        publisher.change_lifecycle(&api.id, "Deprecate").await.expect(200);
        let answer = publisher.change_lifecycle(&api.id, "Retire").await.expect(200).json();
        assert_eq!(answer["lifecycleState"]["state"], "Retired");
        caller.wait_for(&format!("{}/menu", api.context), 404).await;
    }

    async fn taken_names_and_contexts_and_apis_in_use_are_409(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Gold"]).await;
        let again = publisher.import(PIZZA, &properties("Pizza", "/pizza", &["Gold"], "http://localhost:1")).await.expect(409);
        assert_eq!(again.json()["code"], 900252);
        publisher.post("/apis", &json!({"name": "Other", "version": "1.0.0", "context": "/pizza"})).await.expect(409);
        let application = subscriber.create_application("Phone", "Unlimited").await;
        subscriber.subscribe(&application, &api.id, "Gold").await.expect(201);
        let refused = publisher.delete(&format!("/apis/{}", api.id)).await.expect(409);
        assert!(refused.field("description").contains("active subscriptions exist"));
        subscriber.delete(&format!("/applications/{application}")).await.expect(200);
        publisher.delete(&format!("/apis/{}", api.id)).await.expect(200);
        publisher.get(&format!("/apis/{}", api.id)).await.expect(404);
        sandbox.anonymous_caller().wait_for(&format!("{}/menu", api.context), 404).await;
    }

    async fn lists_page_and_count_exactly(sandbox) {
        let publisher = sandbox.publisher();
        for number in 0..7 {
            let body = json!({"name": format!("Api{number}"), "version": "1.0.0", "context": format!("/api{number}")});
            publisher.post("/apis", &body).await.expect(201);
        }
        let page = publisher.get("/apis?limit=3&offset=6&sortBy=apiName&sortOrder=asc").await.expect(200).json();
        assert_eq!((&page["count"], &page["pagination"]["total"]), (&json!(1), &json!(7)));
        assert_eq!(page["list"][0]["name"], "Api6");
        assert_eq!(publisher.get("/apis?offset=100").await.expect(200).json()["count"], 0);
        assert_eq!(publisher.get("/apis?query=name:Api3").await.expect(200).json()["list"][0]["name"], "Api3");
        publisher.get("/apis?limit=-1").await.expect(400);
        publisher.get("/apis?sortBy=colour").await.expect(400);
    }

    async fn wrong_input_is_400_that_names_the_field(sandbox) {
        let publisher = sandbox.publisher();
        for (body, field) in [
            (json!({"version": "1", "context": "/x"}), "name"),
            (json!({"name": "a/b", "version": "1", "context": "/x"}), "name"),
            (json!({"name": "A", "version": "1", "context": "/../x"}), "context"),
            (json!({"name": "A", "version": "1", "context": "/x", "policies": ["Platinum"]}), "policies"),
            (json!({"name": "A", "version": "1", "context": "/x", "operations": [{"verb": "EAT", "target": "/"}]}), "operations"),
            (json!({"name": "A", "version": "1", "context": "/x", "tags": "one"}), "tags"),
            (json!({"name": "A", "version": "1", "context": "/x", "endpointConfig": {"production_endpoints": {"url": "ftp://x"}}}), "endpointConfig.production_endpoints.url"),
            (json!({"name": "A", "version": "1", "context": "/x", "scopes": [{"scope": {"name": "apim:admin"}}]}), "scopes"),
        ] {
            let refused = publisher.post("/apis", &body).await.expect(400);
            assert!(refused.field("description").contains(field), "{} does not name {field}", refused.text);
        }
        assert_eq!(publisher.get("/apis").await.json()["pagination"]["total"], 0);
        for path in ["/apis/no-uuid", "/apis/00000000-0000-0000-0000-000000000000", "/apis/..%2f..%2fetc"] {
            publisher.get(path).await.expect(404);
        }
        publisher.post("/apis/00000000-0000-0000-0000-000000000000/revisions", &json!({})).await.expect(404);
    }

    async fn environments_and_vhosts_of_a_deployment_must_exist(sandbox) {
        let publisher = sandbox.publisher();
        let id = publisher.import(PIZZA, &properties("Pizza", "/pizza", &["Gold"], "http://localhost:1")).await.expect(201).field("id");
        let revision = publisher.create_revision(&id).await;
        let path = format!("/apis/{id}/deploy-revision?revisionId={revision}");
        let unknown = publisher.post(&path, &json!([{"name": "Mars", "vhost": "localhost"}])).await.expect(400);
        assert_eq!(unknown.json()["code"], 900504);
        publisher.post(&path, &json!([{"name": "Default", "vhost": "mars.example"}])).await.expect(400);
        publisher.post(&path, &json!([{"name": "Default"}])).await.expect(400);
        publisher.post(&path, &json!([])).await.expect(400);
        publisher.post(&format!("/apis/{id}/deploy-revision"), &json!([{"name": "Default", "vhost": "localhost"}])).await.expect(400);
        let foreign = publisher.post(&format!("/apis/{id}/deploy-revision?revisionId={id}"), &json!([{"name": "Default", "vhost": "localhost"}])).await.expect(404);
        assert_eq!(foreign.json()["code"], 900347);
    }

    async fn an_api_has_at_most_five_revisions(sandbox) {
        let publisher = sandbox.publisher();
        let id = publisher.import(PIZZA, &properties("Pizza", "/pizza", &["Gold"], "http://localhost:1")).await.expect(201).field("id");
        for _ in 0..5 {
            publisher.create_revision(&id).await;
        }
        publisher.post(&format!("/apis/{id}/revisions"), &json!({})).await.expect(400);
    }
}
