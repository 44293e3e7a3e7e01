//! The two documents that are shown instead of the uploaded one.

use serde_json::{Value, json};

use super::*;
use crate::api::{Api, ApiDetails, ApiScope, AuthType, Endpoint, Endpoints, Operation};
use crate::definition::openapi::{devportal_view, publisher_view};
use crate::lifecycle::LifecycleState;
use crate::name::{ApiContext, ApiName, ApiVersion};
use crate::{ApiId, Organization, Timestamp};

fn operation(verb: &str, target: &str, scopes: &[&str]) -> Operation {
    Operation {
        verb: verb.to_owned(),
        target: target.to_owned(),
        auth: AuthType::Any,
        throttling_policy: "Unlimited".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        other: serde_json::Map::new(),
    }
}

fn api(operations: Vec<Operation>) -> Api {
    let scope = ApiScope {
        name: "menu".to_owned(),
        display_name: "menu".to_owned(),
        description: "Read".to_owned(),
        roles: vec!["admin".to_owned(), "guest".to_owned()],
        shared: false,
    };
    let endpoint = Endpoint { url: "http://backend.internal/x".to_owned(), timeout_ms: None };
    let details = ApiDetails {
        operations,
        endpoints: Endpoints { production: Some(endpoint), sandbox: None, config: Value::Null },
        transports: vec!["http".to_owned(), "https".to_owned()],
        security_schemes: vec!["oauth2".to_owned(), "oauth_basic_auth_api_key_mandatory".to_owned()],
        scopes: vec![scope],
        ..ApiDetails::default()
    };
    Api {
        id: ApiId::random(),
        organization: Organization::super_tenant(),
        name: ApiName::parse("Shop").unwrap(),
        version: ApiVersion::parse("2.0.0").unwrap(),
        context: ApiContext::parse("/shop").unwrap(),
        provider: "admin".to_owned(),
        state: LifecycleState::Created,
        is_default_version: false,
        definition_hash: None,
        details,
        created_at: Timestamp::from_secs(0),
        created_by: "admin".to_owned(),
        updated_at: Timestamp::from_secs(0),
        updated_by: "admin".to_owned(),
        row_version: 1,
    }
}

/// The view must itself be a definition with the API's operations and scopes.
fn assert_says(view: &Value, expected: &Api) {
    let definition = parse(view.to_string().as_bytes()).unwrap();
    let mut found: Vec<Operation> =
        definition.operations.iter().map(super::super::ParsedOperation::to_operation).collect();
    let mut wanted = expected.details.operations.clone();
    found.sort_by_key(|op| (op.target.clone(), op.verb.clone()));
    wanted.sort_by_key(|op| (op.target.clone(), op.verb.clone()));
    assert_eq!(found, wanted);
    assert_eq!(definition.info.title, "Shop");
    assert_eq!(definition.info.version, "2.0.0");
}

#[test]
fn an_api_without_definition_gets_a_minimal_one() {
    let api = api(vec![operation("GET", "/*", &[]), operation("POST", "/a/{b}", &["menu"])]);
    let view = publisher_view(&api, None);
    assert_says(&view, &api);
    assert_eq!(view["openapi"], "3.0.1");
    assert_eq!(view["x-wso2-basePath"], "/shop/2.0.0");
    assert_eq!(view["x-wso2-auth-header"], "Authorization");
    assert_eq!(view["x-wso2-production-endpoints"], json!({"urls": ["http://backend.internal/x"], "type": "http"}));
    assert_eq!(view["x-wso2-transports"], json!(["http", "https"]));
    assert_eq!(view["x-wso2-application-security"], json!({"security-types": ["oauth2"], "optional": false}));
    let flow = &view["components"]["securitySchemes"]["default"]["flows"]["implicit"];
    assert_eq!(flow["authorizationUrl"], "https://test.com");
    assert_eq!(flow["scopes"], json!({"menu": "Read"}));
    assert_eq!(flow["x-scopes-bindings"], json!({"menu": "admin,guest"}));
}

#[test]
fn an_uploaded_document_follows_the_apis_operations() {
    for text in [PIZZA_V2, PIZZA_V3, PIZZA_V3_1] {
        let original = read(text);
        let kept = operation("GET", "/menu", &["menu"]);
        let api = api(vec![kept, operation("PATCH", "/menu", &[]), operation("GET", "/new/{x}", &[])]);
        let view = publisher_view(&api, Some(&original));
        assert_says(&view, &api);
        assert_eq!(view["paths"]["/menu"]["get"]["summary"], original.document["paths"]["/menu"]["get"]["summary"]);
        assert!(view["paths"].get("/orders/{id}").is_none() && view["paths"]["/menu"].get("trace").is_none());
    }
}

#[test]
fn a_referred_path_item_can_be_changed_on_its_own() {
    let original = read(PIZZA_V3);
    let mut operations = vec![operation("GET", "/menu/{id}", &[])];
    operations[0].auth = AuthType::None;
    let api = api(operations);
    let view = publisher_view(&api, Some(&original));
    assert_says(&view, &api);
    assert_eq!(view["paths"]["/menu/{id}"]["get"]["x-auth-type"], "None");
    assert!(view["x-items"]["one"]["get"].get("x-auth-type").is_none());
}

#[test]
fn what_an_import_reads_a_view_writes() {
    let original = read(PIZZA_V2);
    let mut api = api(original.operations.iter().map(super::super::ParsedOperation::to_operation).collect());
    api.details.scopes = original.scopes.clone();
    let view = publisher_view(&api, Some(&original));
    assert_says(&view, &api);
    assert_eq!(parse(view.to_string().as_bytes()).unwrap().scopes, original.scopes);
}

#[test]
fn subscribers_see_gateways_and_no_back_end() {
    let api = api(vec![operation("GET", "/menu", &[]), operation("GET", "/menu/{id}", &[])]);
    let servers = ["https://gw.example:8243/shop/2.0.0".to_owned(), "http://gw.example:8280/shop/2.0.0".to_owned()];
    let view = devportal_view(&api, Some(&read(PIZZA_V3)), &servers);
    assert_eq!(view["servers"], json!([{"url": servers[0]}, {"url": servers[1]}]));
    let text = view["paths"].to_string();
    assert!(!text.contains("internal"), "{text}");
    assert!(view.get("x-wso2-production-endpoints").is_none());
    let view = devportal_view(&api, Some(&read(PIZZA_V2)), &servers);
    assert_eq!((&view["host"], &view["basePath"]), (&json!("gw.example:8243"), &json!("/shop/2.0.0")));
    assert_eq!(view["schemes"], json!(["https"]));
    let view = devportal_view(&api, None, &servers);
    assert!(!view.to_string().contains("backend.internal"), "{view}");
}
