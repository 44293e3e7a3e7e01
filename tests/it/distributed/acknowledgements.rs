//! A deployment is what gateways say of it.

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::actors::properties;
use crate::support::database::postgres_is_there;
use crate::support::definitions::PIZZA;
use crate::support::wait::eventually;

async fn deploy_and_wait(sandbox: &Sandbox, api_id: &str, revision: &str, parameters: &str) -> Value {
    let body = json!([{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}]);
    let path = format!("/apis/{api_id}/deploy-revision?revisionId={revision}&{parameters}");
    sandbox.publisher().post(&path, &body).await.expect(201).json()
}

/// Ids of the gateways that have not answered.
fn pending(deployment: &Value) -> Vec<String> {
    let gateways = deployment["gateways"].as_array().unwrap().iter();
    gateways
        .filter(|gateway| gateway["state"] == "PENDING")
        .map(|gateway| gateway["gatewayId"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_waits_answers_what_every_live_gateway_said() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let second = sandbox.nodes.add_gateway().await;
    let publisher = sandbox.publisher();
    let properties = properties("Pizza", "/pizza", &["Unlimited"], &sandbox.backend.url());
    let id = publisher.import(PIZZA, &properties).await.expect(201).field("id");
    let revision = publisher.create_revision(&id).await;
    let deployments = deploy_and_wait(&sandbox, &id, &revision, "wait=true").await;
    let deployment = &deployments[0];
    assert_eq!(deployment["deploymentState"], "DEPLOYED", "{deployment}");
    assert_eq!((&deployment["liveGatewayCount"], &deployment["deployedGatewayCount"]), (&json!(2), &json!(2)));
    let states: Vec<&Value> =
        deployment["gateways"].as_array().unwrap().iter().map(|gateway| &gateway["state"]).collect();
    assert_eq!(states, [&json!("DEPLOYED"), &json!("DEPLOYED")]);
    let refused = publisher
        .post(&format!("/apis/{id}/deploy-revision?revisionId={revision}&wait=true&timeout=0"), &json!([]))
        .await
        .expect(400);
    assert!(refused.text.contains("timeout"), "{}", refused.text);
    second.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_does_not_answer_makes_a_deployment_partial_and_is_named() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let gone = sandbox.nodes.add_gateway().await;
    let name = gone.node_id().to_owned();
    gone.shutdown().await;
    let publisher = sandbox.publisher();
    let properties = properties("Pizza", "/pizza", &["Unlimited"], &sandbox.backend.url());
    let id = publisher.import(PIZZA, &properties).await.expect(201).field("id");
    let revision = publisher.create_revision(&id).await;
    let answer = deploy_and_wait(&sandbox, &id, &revision, "wait=true&timeout=1").await;
    assert!(pending(&answer[0]).contains(&name), "{answer}");
    // The other one may take longer than the second that was waited.
    let deployments = eventually("the deployment is partial", async || {
        let deployments = publisher.get(&format!("/apis/{id}/deployments")).await.expect(200).json();
        (deployments["list"][0]["deploymentState"] == "PARTIAL").then_some(deployments)
    })
    .await;
    assert_eq!(pending(&deployments["list"][0]), [name], "{deployments}");
    sandbox.stop().await;
}
