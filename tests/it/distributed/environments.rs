//! Environments are labels: a gateway loads what is deployed to its own and nothing else.

use serde_json::json;

use crate::support::Sandbox;
use crate::support::actors::properties;
use crate::support::database::postgres_is_there;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Credentials, Rest};
use crate::support::wait::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_serves_the_deployments_of_its_own_environments_only() {
    if !postgres_is_there() {
        return;
    }
    let second = "[[control_plane.environments]]\nname = \"Second\"\n\
                  [[control_plane.environments.vhosts]]\nhost = \"second.example\"\n";
    let mut sandbox = Sandbox::split_with(second).await;
    let gateway = sandbox.nodes.add_gateway_of("Second").await;
    let publisher = sandbox.publisher();
    let properties = properties("Pizza", "/pizza", &["Unlimited"], &sandbox.backend.url());
    let id = publisher.import(PIZZA, &properties).await.expect(201).field("id");
    let revision = publisher.create_revision(&id).await;
    let target = json!([{"name": "Second", "vhost": "second.example"}]);
    let path = format!("/apis/{id}/deploy-revision?revisionId={revision}&wait=true");
    let deployment = publisher.post(&path, &target).await.expect(201).json();
    assert_eq!(deployment[0]["deploymentState"], "DEPLOYED", "{deployment}");
    assert_eq!(deployment[0]["gateways"][0]["gatewayId"], json!(gateway.node_id()));
    let port = gateway.addresses().gateway.unwrap().https.port();
    let second = Rest::new(format!("https://localhost:{port}"), Credentials::None);
    second.get("/pizza/1.0.0/menu").await.expect(401);
    sandbox.anonymous_caller().get("/pizza/1.0.0/menu").await.expect(404);
    // Undeployed where it is, it is gone there; what the first gateway serves is another matter.
    let undeploy = format!("/apis/{id}/undeploy-revision?revisionId={revision}");
    publisher.post(&undeploy, &target).await.expect(201);
    eventually("the second gateway no longer serves it", async || {
        (second.get("/pizza/1.0.0/menu").await.status == 404).then_some(())
    })
    .await;
    gateway.shutdown().await;
    sandbox.stop().await;
}
