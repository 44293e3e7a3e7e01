//! Revisions: look, restore, delete.

use serde_json::json;

use crate::on_both_databases;
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;

on_both_databases! {
    async fn a_restored_revision_overwrites_the_working_copy(sandbox) {
        let publisher = sandbox.publisher();
        let wish = properties("Pizza", "/pizza", &["Gold"], &publisher.backend_url);
        let id = publisher.import(PIZZA, &wish).await.expect(201).field("id");
        let before = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        let revision = publisher.create_revision(&id).await;
        let mut changed = before.clone();
        changed["operations"] = json!([{"target": "/other", "verb": "GET"}]);
        changed["scopes"] = json!([]);
        changed["policies"] = json!(["Silver"]);
        publisher.put(&format!("/apis/{id}"), &changed).await.expect(200);
        for named in [format!("revisionId={revision}"), "revisionNumber=1".to_owned()] {
            let restored = publisher.post(&format!("/apis/{id}/restore-revision?{named}"), &json!(null)).await.expect(201).json();
            for field in ["operations", "scopes", "policies", "endpointConfig", "name", "version", "context"] {
                assert_eq!(restored[field], before[field], "{field}");
            }
        }
        publisher.post(&format!("/apis/{id}/restore-revision?revisionNumber=9"), &json!(null)).await.expect(404);
        publisher.post(&format!("/apis/{id}/restore-revision"), &json!(null)).await.expect(400);
    }

    async fn a_deployed_revision_cannot_be_deleted_and_an_idle_one_makes_room(sandbox) {
        let publisher = sandbox.publisher();
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
        let list = publisher.get(&format!("/apis/{}/revisions", api.id)).await.expect(200).json();
        let deployed = list["list"][0]["id"].as_str().unwrap().to_owned();
        let refused = publisher.delete(&format!("/apis/{}/revisions/{deployed}", api.id)).await.expect(400);
        assert!(refused.field("description").contains("undeploy it first"), "{}", refused.text);
        let deployments = publisher.get(&format!("/apis/{}/deployments", api.id)).await.expect(200).json();
        assert_eq!(deployments["list"][0]["revisionUuid"], deployed);
        assert_eq!(deployments["list"][0]["name"], "Default");

        let mut idle = String::new();
        for _ in 0..4 {
            idle = publisher.create_revision(&api.id).await;
        }
        let path = format!("/apis/{}/revisions", api.id);
        publisher.post(&path, &json!({})).await.expect(400);
        let one = publisher.get(&format!("{path}/{idle}")).await.expect(200).json();
        assert_eq!((&one["displayName"], &one["deploymentInfo"]), (&json!("Revision 5"), &json!([])));
        let rest = publisher.delete(&format!("{path}/{idle}")).await.expect(200).json();
        assert_eq!(rest["count"], 4);
        publisher.delete(&format!("{path}/{idle}")).await.expect(404);
        let next = publisher.post(&path, &json!({})).await.expect(201);
        assert_eq!(next.field("displayName"), "Revision 6", "a number is never used twice");
    }
}
