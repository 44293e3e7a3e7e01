//! New versions: copies, the checklist, history, and whether a name is free.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::definitions::PIZZA;
use crate::support::{Publisher, Sandbox};

async fn copy(publisher: &Publisher, api_id: &str, version: &str) -> String {
    let path = format!("/apis/copy-api?newVersion={version}&defaultVersion=false&apiId={api_id}");
    let copied = publisher.post(&path, &json!(null)).await.expect(201);
    assert!(copied.header("location").unwrap().ends_with(&copied.field("id")));
    assert_eq!((copied.field("version"), copied.field("lifeCycleStatus")), (version.to_owned(), "CREATED".to_owned()));
    copied.field("id")
}

async fn put_in_service(publisher: &Publisher, api_id: &str, checklist: &str) -> Value {
    let revision = publisher.create_revision(api_id).await;
    publisher.deploy(api_id, &revision).await.expect(201);
    let path = format!("/apis/change-lifecycle?apiId={api_id}&action=Publish&lifecycleChecklist={checklist}");
    let answer = publisher.post(&path, &json!(null)).await.expect(200).json();
    publisher.wait_until_deployed(api_id).await;
    answer
}

async fn state(publisher: &Publisher, api_id: &str) -> String {
    publisher.get(&format!("/apis/{api_id}")).await.expect(200).field("lifeCycleStatus")
}

async fn first_version(sandbox: &Sandbox) -> (String, String) {
    let api = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
    let keys = sandbox.subscriber().ready_to_call("Phone", &api.id, "Unlimited").await;
    sandbox.caller(&keys.token).wait_for("/pizza/1.0.0/menu", 200).await;
    (api.id, keys.token)
}

on_both_databases! {
    async fn a_new_version_keeps_the_subscriptions_and_both_versions_answer(sandbox) {
        let publisher = sandbox.publisher();
        let (old, token) = first_version(sandbox).await;
        let new = copy(&publisher, &old, "2.0.0").await;
        let path = format!("/apis/copy-api?newVersion=2.0.0&apiId={old}");
        publisher.post(&path, &json!(null)).await.expect(409);
        let items = publisher.get(&format!("/apis/{new}/lifecycle-state")).await.expect(200).json();
        let names: Vec<&str> = items["checkItems"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Deprecate old versions after publishing the API", "Requires re-subscription when publishing the API"]);
        let items = publisher.get(&format!("/apis/{old}/lifecycle-state")).await.expect(200).json();
        assert_eq!(items["checkItems"], json!([]));
        put_in_service(&publisher, &new, "").await;
        sandbox.caller(&token).wait_for("/pizza/2.0.0/menu", 200).await;
        sandbox.caller(&token).get("/pizza/1.0.0/menu").await.expect(200);
        assert_eq!(state(&publisher, &old).await, "PUBLISHED");
    }

    async fn the_checklist_deprecates_old_versions_and_asks_for_new_subscriptions(sandbox) {
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let (old, token) = first_version(sandbox).await;
        let newer = copy(&publisher, &old, "10.0.0").await;
        put_in_service(&publisher, &newer, "").await;
        let new = copy(&publisher, &old, "2.0.0").await;
        let both = "Deprecate old versions after publishing the API:true,Requires re-subscription when publishing the API:true";
        let answer = put_in_service(&publisher, &new, both).await;
        assert_eq!(answer["lifecycleState"]["state"], "Published");
        assert_eq!(state(&publisher, &old).await, "DEPRECATED");
        assert_eq!(state(&publisher, &newer).await, "PUBLISHED", "10 is newer than 2");
        let refused = sandbox.caller(&token).wait_for("/pizza/2.0.0/menu", 403).await;
        assert_eq!(refused.json()["code"], "900908");
        sandbox.caller(&token).get("/pizza/1.0.0/menu").await.expect(200);
        let applications = subscriber.get("/applications").await.expect(200).json();
        let application = applications["list"].as_array().unwrap().iter().find(|own| own["name"] == "Phone").unwrap();
        subscriber.subscribe(application["applicationId"].as_str().unwrap(), &new, "Unlimited").await.expect(201);
        sandbox.caller(&token).wait_for("/pizza/2.0.0/menu", 200).await;
    }

    async fn a_new_default_version_takes_the_calls_without_a_version_once_it_is_published(sandbox) {
        let publisher = sandbox.publisher();
        let (old, token) = first_version(sandbox).await;
        let mut whole = publisher.get(&format!("/apis/{old}")).await.expect(200).json();
        whole["isDefaultVersion"] = json!(true);
        publisher.put(&format!("/apis/{old}"), &whole).await.expect(200);
        let caller = sandbox.caller(&token);
        caller.wait_for("/pizza/menu", 200).await;
        let path = format!("/apis/copy-api?newVersion=2.0.0&defaultVersion=true&apiId={old}");
        let new = publisher.post(&path, &json!(null)).await.expect(201).field("id");
        caller.get("/pizza/menu").await.expect(200);
        put_in_service(&publisher, &new, "").await;
        caller.wait_for("/pizza/2.0.0/menu", 200).await;
        caller.wait_for("/pizza/menu", 200).await;
        let is_default = async |id: &str| publisher.get(&format!("/apis/{id}")).await.expect(200).json()["isDefaultVersion"].clone();
        assert_eq!((is_default(&old).await, is_default(&new).await), (json!(false), json!(true)));
    }

    async fn history_tells_every_change_of_state(sandbox) {
        let publisher = sandbox.publisher();
        let (id, _) = first_version(sandbox).await;
        publisher.change_lifecycle(&id, "Block").await.expect(200);
        let history = publisher.get(&format!("/apis/{id}/lifecycle-history")).await.expect(200).json();
        let steps: Vec<(&Value, &Value)> =
            history["list"].as_array().unwrap().iter().map(|step| (&step["previousState"], &step["postState"])).collect();
        let (created, published, blocked) = (json!("CREATED"), json!("PUBLISHED"), json!("BLOCKED"));
        assert_eq!(steps, [(&Value::Null, &created), (&created, &published), (&published, &blocked)]);
        assert!(history["list"].as_array().unwrap().iter().all(|step| step["user"] == "admin"));
    }

    async fn a_name_or_context_is_taken_or_free(sandbox) {
        let publisher = sandbox.publisher();
        first_version(sandbox).await;
        let taken = ["name:Pizza", "Pizza", "name:Pizza%20version:1.0.0", "context:/pizza", "/pizza", "/pizza/1.0.0", "context:pizza"];
        for query in taken {
            publisher.post(&format!("/apis/validate?query={query}"), &json!(null)).await.expect(200);
        }
        for query in ["name:Soup", "name:Pizza%20version:9", "context:/soup", "/pizza/2.0.0", "context:/../x"] {
            publisher.post(&format!("/apis/validate?query={query}"), &json!(null)).await.expect(404);
        }
        publisher.post("/apis/validate", &json!(null)).await.expect(400);
        publisher.post("/apis/validate?query=tag:x", &json!(null)).await.expect(400);
    }
}
