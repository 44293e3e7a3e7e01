//! Operations of the developer portal around keys, subscriptions and discovery.

use reqwest::Method;
use serde_json::json;

use super::schemas::{Contract, id};
use crate::support::rest::Rest;
use crate::support::sandbox::administrator;
use crate::support::{Sandbox, people};

const D: &str = "devportal";
const KEY: &str = "/applications/{applicationId}/oauth-keys/{keyMappingId}";
const KEY_BY_TYPE: &str = "/applications/{applicationId}/keys/{keyType}";

pub(super) async fn consume(contract: &Contract, api_id: &str) {
    for path in ["/settings", "/key-managers", "/tags", "/search"] {
        contract.call(D, Method::GET, path, &[], None).await;
    }
    let policy = ["subscription", "Gold"];
    contract.call(D, Method::GET, "/throttling-policies/{policyLevel}/{policyId}", &policy, None).await;
    let application = json!({"name": "Tablet", "throttlingPolicy": "10PerMin"});
    let application = contract.call(D, Method::POST, "/applications", &[], Some(application)).await;
    let application_id = id(&application, "applicationId").to_owned();
    subscribe(contract, &application_id, api_id).await;
    keys_by_id(contract, &application_id).await;
    mapped_keys(contract, &application_id).await;
    keys_by_type(contract, &application_id).await;
    contract.call(D, Method::DELETE, "/applications/{applicationId}", &[&application_id], None).await;
}

async fn subscribe(contract: &Contract, application_id: &str, api_id: &str) {
    let wish = json!([{"applicationId": application_id, "apiId": api_id, "throttlingPolicy": "Gold"}]);
    let made = contract.call(D, Method::POST, "/subscriptions/multiple", &[], Some(wish)).await;
    let subscription = made[0].clone();
    let one = [id(&subscription, "subscriptionId")];
    contract.call(D, Method::PUT, "/subscriptions/{subscriptionId}", &one, Some(subscription.clone())).await;
}

async fn keys_by_id(contract: &Contract, application_id: &str) {
    let request = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]});
    let generate = "/applications/{applicationId}/generate-keys";
    let keys = contract.call(D, Method::POST, generate, &[application_id], Some(request.clone())).await;
    let reset = "/applications/{applicationId}/reset-throttle-policy";
    contract.call(D, Method::POST, reset, &[application_id], Some(json!({"userName": "admin"}))).await;
    let key = [application_id, id(&keys, "keyMappingId")];
    contract.call(D, Method::PUT, KEY, &key, Some(keys.clone())).await;
    contract.call(D, Method::POST, &format!("{KEY}/regenerate-secret"), &key, None).await;
    let wish = json!({"additionalProperties": {"expiresIn": 3600, "description": "second"}});
    let secret = contract.call(D, Method::POST, &format!("{KEY}/generate-secret"), &key, Some(wish)).await;
    contract.call(D, Method::GET, &format!("{KEY}/secrets"), &key, None).await;
    let revoked = json!({"secretId": id(&secret, "secretId")});
    contract.call(D, Method::POST, &format!("{KEY}/revoke-secret"), &key, Some(revoked)).await;
    contract.call(D, Method::POST, &format!("{KEY}/clean-up"), &key, None).await;
    let keys = contract.call(D, Method::POST, generate, &[application_id], Some(request)).await;
    contract.call(D, Method::DELETE, KEY, &[application_id, id(&keys, "keyMappingId")], None).await;
}

/// A client that was registered elsewhere becomes the application's sandbox key for a while.
async fn mapped_keys(contract: &Contract, application_id: &str) {
    let body = json!({"clientName": "elsewhere", "owner": "admin", "grantType": "client_credentials", "saasApp": true});
    let rest = Rest::new(contract.rest.base.clone(), administrator("admin"));
    let registered = rest.post("/client-registration/v0.17/register", &body).await.expect(200);
    let wish = json!({
        "keyType": "SANDBOX",
        "consumerKey": registered.field("clientId"),
        "consumerSecret": registered.field("clientSecret"),
    });
    let path = "/applications/{applicationId}/map-keys";
    contract.call(D, Method::POST, path, &[application_id], Some(wish)).await;
    contract.call(D, Method::POST, &format!("{KEY_BY_TYPE}/clean-up"), &[application_id, "SANDBOX"], None).await;
}

async fn keys_by_type(contract: &Contract, application_id: &str) {
    let request = json!({"keyType": "SANDBOX", "grantTypesToBeSupported": ["client_credentials"]});
    let generate = "/applications/{applicationId}/generate-keys";
    let keys = contract.call(D, Method::POST, generate, &[application_id], Some(request)).await;
    let key = [application_id, "SANDBOX"];
    contract.call(D, Method::GET, KEY_BY_TYPE, &key, None).await;
    contract.call(D, Method::PUT, KEY_BY_TYPE, &key, Some(keys)).await;
    contract.call(D, Method::POST, &format!("{KEY_BY_TYPE}/regenerate-secret"), &key, None).await;
    contract.call(D, Method::POST, &format!("{KEY_BY_TYPE}/generate-token"), &key, Some(json!({}))).await;
    contract.call(D, Method::POST, &format!("{KEY_BY_TYPE}/clean-up"), &key, None).await;
}

/// Somebody else's password: the administrator's token must go on working.
pub(super) async fn change_password(contract: &Contract, sandbox: &Sandbox) {
    let subscriber = people::subscriber(sandbox, "patricia", &[]).await;
    let body = json!({"currentPassword": "patricia", "newPassword": "correct horse"});
    let answer = subscriber.post("/me/change-password", &body).await;
    contract.check(D, &Method::POST, "/me/change-password", answer);
}
