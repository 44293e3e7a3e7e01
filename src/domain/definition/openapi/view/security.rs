//! The security scheme `default`, under which WSO2 shows an API's scopes.

use serde_json::{Map, Value, json};

use crate::api::ApiScope;
use crate::definition::openapi::Generation;

/// WSO2 writes this address because the scheme needs one; nobody calls it.
const AUTHORIZATION_URL: &str = "https://test.com";

pub(super) fn write(generation: Generation, root: &mut Map<String, Value>, scopes: &[ApiScope]) {
    let flow = flow(scopes);
    match generation {
        Generation::V2 => {
            let mut scheme = flow;
            scheme.insert("type".to_owned(), json!("oauth2"));
            scheme.insert("flow".to_owned(), json!("implicit"));
            edit_object(root, "securityDefinitions", |schemes| {
                schemes.insert("default".to_owned(), Value::Object(scheme));
            });
        }
        Generation::V3_0 | Generation::V3_1 => {
            let scheme = json!({ "type": "oauth2", "flows": { "implicit": flow } });
            edit_object(root, "components", |components| {
                edit_object(components, "securitySchemes", |schemes| {
                    schemes.insert("default".to_owned(), scheme);
                });
            });
        }
    }
    // The same scopes in WSO2's older place would now contradict the API.
    root.shift_remove("x-wso2-security");
    root.insert("security".to_owned(), json!([{ "default": [] }]));
}

fn flow(scopes: &[ApiScope]) -> Map<String, Value> {
    let names: Map<String, Value> = scopes.iter().map(|scope| (scope.name.clone(), json!(scope.description))).collect();
    let bindings: Map<String, Value> =
        scopes.iter().map(|scope| (scope.name.clone(), json!(scope.roles.join(",")))).collect();
    let mut flow = Map::new();
    flow.insert("authorizationUrl".to_owned(), json!(AUTHORIZATION_URL));
    flow.insert("scopes".to_owned(), Value::Object(names));
    flow.insert("x-scopes-bindings".to_owned(), Value::Object(bindings));
    flow
}

/// Hands `edit` the object member `key`, made when it is missing or something else.
fn edit_object(parent: &mut Map<String, Value>, key: &str, edit: impl FnOnce(&mut Map<String, Value>)) {
    let mut member = match parent.get_mut(key).map(Value::take) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    edit(&mut member);
    parent.insert(key.to_owned(), Value::Object(member));
}
