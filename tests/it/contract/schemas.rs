//! A positive answer of every served operation fits the contract's schema.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use reqwest::multipart::Form;
use serde_json::{Value, json};

use super::operations::{Operation, is_off_contract, rooms, served};
use crate::support::actors::properties;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Answer, Rest};
use crate::support::{DatabaseKind, Sandbox};

const RESPONSES: &str = include_str!("../../fixtures/responses.tsv");

/// Schema name by operation and status.
fn responses() -> BTreeMap<(Operation, u16), String> {
    RESPONSES
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let operation = (columns[0].to_owned(), columns[1].to_owned(), columns[2].to_owned());
            ((operation, columns[3].parse().unwrap_or(0)), columns[4].to_owned())
        })
        .collect()
}

fn schemas(api: &str) -> Value {
    let text = match api {
        "publisher" => include_str!("../../fixtures/schemas/publisher.json"),
        "devportal" => include_str!("../../fixtures/schemas/devportal.json"),
        "admin" => include_str!("../../fixtures/schemas/admin.json"),
        "internal-data" => include_str!("../../fixtures/schemas/internal-data.json"),
        other => panic!("no schemas of {other}"),
    };
    let mut schemas: Value = serde_json::from_str(text).unwrap();
    // Their own examples hold numbers and texts where the documents call every value an object.
    if let Some(properties) = schemas.pointer_mut("/$defs/ConsumerSecret/properties/additionalProperties") {
        *properties = json!({"type": "object"});
    }
    // The documents call it an object; every client sends and reads a list of names.
    if let Some(key_managers) = schemas.pointer_mut("/$defs/API/properties/keyManagers") {
        *key_managers = json!({"type": "array", "items": {"type": "string"}});
    }
    // The document says one object for each tenant; there is one object, and tools read no other.
    if let Some(block) = schemas.pointer_mut("/$defs/get_block_200") {
        *block = json!({"$ref": "#/$defs/BlockConditions"});
    }
    schemas
}

/// Calls operations by their contract path and checks what comes back.
pub(super) struct Contract {
    pub(super) rest: Rest,
    responses: BTreeMap<(Operation, u16), String>,
    visited: RefCell<BTreeSet<Operation>>,
    /// Schema of an answer without a body.
    nothing: String,
}

impl Contract {
    /// `path` may carry a query; `ids` fill its parameters in order.
    pub(super) fn target(api: &str, path: &str, ids: &[&str]) -> (String, String) {
        let base = rooms().into_iter().find(|(name, _)| *name == api).unwrap().1.base();
        let (template, query) =
            path.split_once('?').map_or((path, String::new()), |(path, query)| (path, format!("?{query}")));
        let mut ids = ids.iter();
        let filled: Vec<&str> = template
            .split('/')
            .map(|segment| if segment.starts_with('{') { *ids.next().unwrap() } else { segment })
            .collect();
        (template.to_owned(), format!("{base}{}{query}", filled.join("/")))
    }

    pub(super) async fn call(&self, api: &str, method: Method, path: &str, ids: &[&str], body: Option<Value>) -> Value {
        let (template, url) = Self::target(api, path, ids);
        let mut request = self.rest.request(method.clone(), &url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.check(api, &method, &template, Answer::of(request).await)
    }

    pub(super) async fn upload(&self, api: &str, path: &str, form: Form) -> Value {
        let (template, url) = Self::target(api, path, &[]);
        let request = self.rest.request(Method::POST, &url).multipart(form);
        self.check(api, &Method::POST, &template, Answer::of(request).await)
    }

    pub(super) fn check(&self, api: &str, method: &Method, template: &str, answer: Answer) -> Value {
        assert!((200..300).contains(&answer.status), "{method} {template}: {} {}", answer.status, answer.text);
        let operation = (api.to_owned(), method.to_string(), template.to_owned());
        self.visited.borrow_mut().insert(operation.clone());
        // Deploying answers 201 where the contract's document says 200 and clients expect 201.
        let schema = [answer.status, 200, 201]
            .into_iter()
            .find_map(|status| self.responses.get(&(operation.clone(), status)))
            .or_else(|| is_off_contract(&operation).then_some(&self.nothing))
            .unwrap_or_else(|| panic!("the contract has no good answer for {operation:?}"));
        if schema == "-" || schema == "*" {
            return serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        }
        if schemas(api)["$defs"][schema]["type"] == "string" {
            // A document as text, e.g. a definition: the body is the string, without quotes around it.
            return answer.json();
        }
        let body = answer.json();
        fits(api, schema, &body, &format!("{method} {template}"));
        body
    }
}

/// Fails unless `body`, the answer to `what`, fits the API's schema.
pub(super) fn fits(api: &str, schema: &str, body: &Value, what: &str) {
    let mut document = schemas(api);
    document["$ref"] = json!(format!("#/$defs/{schema}"));
    let validator = jsonschema::validator_for(&document).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what} does not fit {schema}: {errors:#?}\n{body:#}");
}

pub(super) fn id<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

async fn publish(contract: &Contract, backend_url: &str) -> String {
    let p = "publisher";
    contract.upload(p, "/apis/validate-openapi", Form::new().text("inlineAPIDefinition", PIZZA)).await;
    let properties = properties("Pizza", "/pizza", &["Gold"], backend_url).to_string();
    let form = Form::new().text("inlineAPIDefinition", PIZZA).text("additionalProperties", properties);
    let api = contract.upload(p, "/apis/import-openapi", form).await;
    let api_id = id(&api, "id").to_owned();
    let draft = json!({"name": "Draft", "version": "1.0.0", "context": "/draft", "description": "soon gone"});
    let draft = contract.call(p, Method::POST, "/apis", &[], Some(draft)).await;
    contract.call(p, Method::PUT, "/apis/{apiId}", &[id(&draft, "id")], Some(draft.clone())).await;
    contract.call(p, Method::DELETE, "/apis/{apiId}", &[id(&draft, "id")], None).await;
    contract.call(p, Method::GET, "/apis/{apiId}", &[&api_id], None).await;
    contract.call(p, Method::GET, "/apis", &[], None).await;
    contract.call(p, Method::GET, "/apis/{apiId}/swagger", &[&api_id], None).await;
    let revision = contract
        .call(p, Method::POST, "/apis/{apiId}/revisions", &[&api_id], Some(json!({"description": "one"})))
        .await;
    let target = json!([{"name": "Default", "vhost": "localhost", "displayOnDevportal": true}]);
    let deploy = format!("/apis/{{apiId}}/deploy-revision?revisionId={}", id(&revision, "id"));
    contract.call(p, Method::POST, &deploy, &[&api_id], Some(target.clone())).await;
    contract.call(p, Method::GET, "/apis/{apiId}/revisions", &[&api_id], None).await;
    let undeploy = format!("/apis/{{apiId}}/undeploy-revision?revisionId={}", id(&revision, "id"));
    contract.call(p, Method::POST, &undeploy, &[&api_id], Some(target)).await;
    let change = format!("/apis/change-lifecycle?apiId={api_id}&action=Publish");
    contract.call(p, Method::POST, &change, &[], None).await;
    contract.call(p, Method::GET, "/apis/{apiId}/lifecycle-state", &[&api_id], None).await;
    contract.call(p, Method::GET, "/throttling-policies/{policyLevel}", &["subscription"], None).await;
    contract.call(p, Method::GET, "/throttling-policies/streaming/subscription", &[], None).await;
    for policy in [["subscription", "Gold"], ["subscription", "AsyncGold"], ["api", "10KPerMin"]] {
        contract.call(p, Method::GET, "/throttling-policies/{policyLevel}/{policyName}", &policy, None).await;
    }
    contract.call(p, Method::GET, "/settings", &[], None).await;
    api_id
}

async fn consume(contract: &Contract, api_id: &str) {
    let d = "devportal";
    contract.call(d, Method::GET, "/apis", &[], None).await;
    contract.call(d, Method::GET, "/apis/{apiId}", &[api_id], None).await;
    contract.call(d, Method::GET, "/apis/{apiId}/swagger", &[api_id], None).await;
    contract.call(d, Method::GET, "/throttling-policies/{policyLevel}", &["application"], None).await;
    let application = json!({"name": "Phone", "throttlingPolicy": "10PerMin"});
    let application = contract.call(d, Method::POST, "/applications", &[], Some(application)).await;
    let application_id = id(&application, "applicationId").to_owned();
    let one = [application_id.as_str()];
    contract.call(d, Method::GET, "/applications", &[], None).await;
    contract.call(d, Method::GET, "/applications/{applicationId}", &one, None).await;
    contract.call(d, Method::PUT, "/applications/{applicationId}", &one, Some(application)).await;
    let request = json!({"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]});
    let keys = contract.call(d, Method::POST, "/applications/{applicationId}/generate-keys", &one, Some(request)).await;
    contract.call(d, Method::GET, "/applications/{applicationId}/keys", &one, None).await;
    contract.call(d, Method::GET, "/applications/{applicationId}/oauth-keys", &one, None).await;
    let key = [application_id.as_str(), id(&keys, "keyMappingId")];
    contract.call(d, Method::GET, "/applications/{applicationId}/oauth-keys/{keyMappingId}", &key, None).await;
    let path = "/applications/{applicationId}/oauth-keys/{keyMappingId}/generate-token";
    contract.call(d, Method::POST, path, &key, Some(json!({"validityPeriod": 60}))).await;
    let wish = json!({"applicationId": application_id, "apiId": api_id, "throttlingPolicy": "Gold"});
    let subscription = contract.call(d, Method::POST, "/subscriptions", &[], Some(wish)).await;
    let subscription_id = [id(&subscription, "subscriptionId")];
    contract.call(d, Method::GET, &format!("/subscriptions?apiId={api_id}"), &[], None).await;
    contract.call(d, Method::GET, "/subscriptions/{subscriptionId}", &subscription_id, None).await;
    contract.call(d, Method::GET, "/subscriptions/{subscriptionId}/quota", &subscription_id, None).await;
    contract.call(d, Method::DELETE, "/subscriptions/{subscriptionId}", &subscription_id, None).await;
    contract.call(d, Method::DELETE, "/applications/{applicationId}", &one, None).await;
}

async fn administer(contract: &Contract) {
    super::admin::look_around(contract).await;
    let tenant =
        json!({"tenantDomain": "schemas.example", "adminUsername": "root", "adminPassword": "correct-horse-9"});
    contract.call("admin", Method::POST, "/tenants", &[], Some(tenant)).await;
    contract.call("admin", Method::GET, "/tenants", &[], None).await;
    for kind in ["application", "subscription", "advanced", "custom"] {
        let collection = format!("/throttling/policies/{kind}");
        let member = format!("{collection}/{{{}}}", if kind == "custom" { "ruleId" } else { "policyId" });
        let body = crate::support::actors::policy(kind, "Seven", 7);
        let policy = contract.call("admin", Method::POST, &collection, &[], Some(body)).await;
        let one = [id(&policy, "policyId")];
        contract.call("admin", Method::GET, &collection, &[], None).await;
        contract.call("admin", Method::GET, &member, &one, None).await;
        contract.call("admin", Method::PUT, &member, &one, Some(policy.clone())).await;
        contract.call("admin", Method::DELETE, &member, &one, None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_answer_of_every_served_operation_fits_its_schema() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    let contract = Contract {
        rest: sandbox.admin_rest(),
        responses: responses(),
        visited: RefCell::default(),
        nothing: "-".to_owned(),
    };
    let api_id = publish(&contract, &sandbox.backend.url()).await;
    consume(&contract, &api_id).await;
    super::devportal::consume(&contract, &api_id).await;
    super::devportal::change_password(&contract, &sandbox).await;
    super::gateway_keys::make_keys(&contract, &api_id).await;
    administer(&contract).await;
    super::internal_data::pull(&contract, &sandbox).await;
    super::publisher::version(&contract, &api_id).await;
    let visited = contract.visited.into_inner();
    let unproved: Vec<Operation> = served()
        .into_keys()
        .filter(|operation| !visited.contains(operation))
        // Its document has no schemas; its operations have tests of their own.
        .filter(|(api, _, _)| api != "gateway")
        .collect();
    assert!(unproved.is_empty(), "served, but never proved: {unproved:#?}");
    sandbox.stop().await;
}
