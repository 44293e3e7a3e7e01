//! What tools pull of the event hub fits the contract's schemas.

use reqwest::Method;
use serde_json::json;

use super::schemas::{Contract, fits, id};
use crate::support::Sandbox;
use crate::support::definitions::PIZZA;
use crate::support::rest::Answer;

const API: &str = "internal-data";

/// Operations whose answers are lists.
const LISTS: [&str; 11] = [
    "/apis",
    "/applications",
    "/subscriptions",
    "/application-key-mappings",
    "/scopes",
    "/subscription-policies",
    "/application-policies",
    "/api-policies",
    "/global-policies",
    "/runtime-artifacts",
    "/revokedjwt",
];

/// Calls every operation while there is one of everything that it can show.
pub(super) async fn pull(contract: &Contract, sandbox: &Sandbox) {
    let definition = PIZZA.replace("order:cancel", "pulled:cancel");
    let api = sandbox.publisher().publish(&definition, "Pulled", "/pulled", &["Gold"]).await.id;
    let keys = sandbox.subscriber().ready_to_call("Puller", &api, "Gold").await;
    sandbox.subscriber().revoke(&keys, &keys.token).await.expect(200);
    let advanced = json!({
        "policyName": "Advanced", "defaultLimit": limit(7),
        "conditionalGroups": [{"limit": limit(3), "conditions": [
            {"type": "HEADERCONDITION", "headerCondition": {"headerName": "x-tier", "headerValue": "gold"}},
        ]}],
    });
    let made = contract.call("admin", Method::POST, "/throttling/policies/advanced", &[], Some(advanced)).await;
    let rule = json!({"policyName": "Rule", "keyTemplate": "$userId", "siddhiQuery": "7 requests per min"});
    let rule = contract.call("admin", Method::POST, "/throttling/policies/custom", &[], Some(rule)).await;
    let deny = json!({"conditionType": "IP", "conditionValue": {"fixedIp": "10.0.0.1"}});
    let deny = contract.call("admin", Method::POST, "/throttling/deny-policies", &[], Some(deny)).await;
    let operator = sandbox.password_rest();
    for template in LISTS.into_iter().chain(["/block", "/keyTemplates", "/keymanagers"]) {
        let request = operator.request(Method::GET, &Contract::target(API, template, &[]).1);
        let answer = Answer::of(request.header("xWSO2Tenant", "ALL")).await;
        let body = contract.check(API, &Method::GET, template, answer);
        if template == "/runtime-artifacts" {
            // The document describes no answer, but has the schema of one.
            fits(API, "SynapseArtifactList", &body, template);
        }
        if template == "/revokedjwt" {
            assert_ne!(body["revokedJWTList"], json!([]), "{template} proves nothing: {body}");
        }
        if template == "/block" {
            assert_ne!(body["ip"], json!([]), "{template} proves nothing: {body}");
        }
        if body["list"].is_array() {
            assert_ne!(body["count"], 0, "{template} proves nothing: {body}");
        }
    }
    let path = "/synapse-attributes?apiName=Pulled&version=1.0.0&tenantDomain=carbon.super";
    let (template, url) = Contract::target(API, path, &[]);
    let attributes = contract.check(API, &Method::GET, &template, operator.get(&url).await);
    assert_eq!((&attributes["count"], &attributes["labels"]), (&json!(1), &json!(["Default"])));
    let member = "/throttling/policies/custom/{ruleId}";
    contract.call("admin", Method::DELETE, member, &[id(&rule, "policyId")], None).await;
    let member = "/throttling/deny-policy/{conditionId}";
    contract.call("admin", Method::DELETE, member, &[id(&deny, "conditionId")], None).await;
    let member = "/throttling/policies/advanced/{policyId}";
    contract.call("admin", Method::DELETE, member, &[id(&made, "policyId")], None).await;
}

fn limit(requests: u64) -> serde_json::Value {
    json!({"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": requests}})
}
