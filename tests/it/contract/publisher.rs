//! Good answers of the publisher's operations on revisions, versions, subscriptions and archives.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::schemas::{Contract, id};
use crate::support::definitions::PIZZA;
use crate::support::rest::Answer;

const P: &str = "publisher";

impl Contract {
    async fn send(&self, method: Method, path: &str, ids: &[&str], form: Form) -> Value {
        let (template, url) = Self::target(P, path, ids);
        let answer = Answer::of(self.rest.request(method.clone(), &url).multipart(form)).await;
        self.check(P, &method, &template, answer)
    }
}

/// Works on the published API `api_id`.
pub async fn version(contract: &Contract, api_id: &str) {
    contract.call(P, Method::POST, "/apis/validate?query=name:Pizza", &[], None).await;
    contract.call(P, Method::GET, "/key-managers", &[], None).await;
    contract.call(P, Method::GET, "/apis/{apiId}/lifecycle-history", &[api_id], None).await;
    contract.send(Method::PUT, "/apis/{apiId}/swagger", &[api_id], Form::new().text("apiDefinition", PIZZA)).await;
    revise(contract, api_id).await;
    let copy = format!("/apis/copy-api?newVersion=2.0.0&apiId={api_id}");
    contract.call(P, Method::POST, &copy, &[], None).await;
    block(contract, api_id).await;
    transfer(contract, api_id).await;
    share(contract).await;
}

async fn share(contract: &Contract) {
    let wish = json!({"name": "team:read", "displayName": "Read", "bindings": ["Internal/subscriber"]});
    let scope = contract.call(P, Method::POST, "/scopes", &[], Some(wish)).await;
    let one = [id(&scope, "id")];
    contract.call(P, Method::GET, "/scopes", &[], None).await;
    contract.call(P, Method::GET, "/scopes/{scopeId}", &one, None).await;
    contract.call(P, Method::PUT, "/scopes/{scopeId}", &one, Some(scope.clone())).await;
    contract.call(P, Method::HEAD, "/scopes/{scopeId}", &["dGVhbTpyZWFk"], None).await;
    contract.call(P, Method::DELETE, "/scopes/{scopeId}", &one, None).await;
}

/// Export answers bytes, which are sent back as they are.
async fn transfer(contract: &Contract, api_id: &str) {
    let (template, url) = Contract::target(P, "/apis/export", &[]);
    let request = contract.rest.request(Method::GET, &format!("{url}?apiId={api_id}"));
    let archive = request.send().await.unwrap().bytes().await.unwrap().to_vec();
    let again = contract.rest.request(Method::GET, &format!("{url}?apiId={api_id}"));
    contract.check(P, &Method::GET, &template, Answer::of(again).await);
    let form = Form::new().part("file", Part::bytes(archive).file_name("pizza.zip"));
    contract.send(Method::POST, "/apis/import?overwrite=true", &[], form).await;
}

async fn revise(contract: &Contract, api_id: &str) {
    let revision = contract.call(P, Method::POST, "/apis/{apiId}/revisions", &[api_id], Some(json!({}))).await;
    let named = [api_id, id(&revision, "id")];
    contract.call(P, Method::GET, "/apis/{apiId}/revisions/{revisionId}", &named, None).await;
    let restore = format!("/apis/{{apiId}}/restore-revision?revisionId={}", named[1]);
    contract.call(P, Method::POST, &restore, &[api_id], None).await;
    contract.call(P, Method::GET, "/apis/{apiId}/deployments", &[api_id], None).await;
    contract.call(P, Method::DELETE, "/apis/{apiId}/revisions/{revisionId}", &named, None).await;
}

async fn block(contract: &Contract, api_id: &str) {
    let d = "devportal";
    let application = json!({"name": "Blocked", "throttlingPolicy": "Unlimited"});
    let application = contract.call(d, Method::POST, "/applications", &[], Some(application)).await;
    let wish = json!({"applicationId": id(&application, "applicationId"), "apiId": api_id, "throttlingPolicy": "Gold"});
    contract.call(d, Method::POST, "/subscriptions", &[], Some(wish)).await;
    let list = contract.call(P, Method::GET, &format!("/subscriptions?apiId={api_id}"), &[], None).await;
    let subscription = id(&list["list"][0], "subscriptionId");
    let block = format!("/subscriptions/block-subscription?subscriptionId={subscription}&blockState=BLOCKED");
    contract.call(P, Method::POST, &block, &[], None).await;
    let unblock = format!("/subscriptions/unblock-subscription?subscriptionId={subscription}");
    contract.call(P, Method::POST, &unblock, &[], None).await;
}
