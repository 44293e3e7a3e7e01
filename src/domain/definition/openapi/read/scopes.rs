//! OAuth2 scopes: what the schemes define, and what operations need.

use serde_json::{Map, Value};

use crate::api::ApiScope;
use crate::definition::openapi::Generation;
use crate::definition::openapi::pointer::resolved;

/// The document's schemes of type `oauth2` by name.
pub(super) fn oauth2_schemes(generation: Generation, document: &Value) -> Map<String, Value> {
    let schemes = match generation {
        Generation::V2 => document.get("securityDefinitions"),
        Generation::V3_0 | Generation::V3_1 => document.pointer("/components/securitySchemes"),
    };
    let schemes = schemes.and_then(Value::as_object).into_iter().flatten();
    schemes
        .filter_map(|(name, scheme)| Some((name.clone(), resolved(document, scheme)?.clone())))
        .filter(|(_, scheme)| scheme.get("type").and_then(Value::as_str) == Some("oauth2"))
        .collect()
}

/// Every scope once, in the order of the document. Roles come from `x-scopes-bindings` (`{"scope": "role1,role2"}`) and
/// from the older `x-wso2-security.apim.x-wso2-scopes`.
pub(super) fn defined(generation: Generation, document: &Value) -> Vec<ApiScope> {
    let mut scopes: Vec<ApiScope> = Vec::new();
    let schemes = oauth2_schemes(generation, document);
    let flows = schemes.values().flat_map(|scheme| match generation {
        Generation::V2 => vec![scheme],
        Generation::V3_0 | Generation::V3_1 => {
            scheme.get("flows").and_then(Value::as_object).into_iter().flat_map(Map::values).collect()
        }
    });
    for flow in flows {
        let bindings = flow.get("x-scopes-bindings");
        for (name, description) in flow.get("scopes").and_then(Value::as_object).into_iter().flatten() {
            let roles = bindings.and_then(|bindings| bindings.get(name)).and_then(Value::as_str).unwrap_or_default();
            add(&mut scopes, name, name, description.as_str().unwrap_or_default(), roles);
        }
    }
    let legacy = document.pointer("/x-wso2-security/apim/x-wso2-scopes").and_then(Value::as_array);
    for scope in legacy.into_iter().flatten() {
        let field = |name: &str| scope.get(name).and_then(Value::as_str).unwrap_or_default();
        let display_name = if field("name").is_empty() { field("key") } else { field("name") };
        add(&mut scopes, field("key"), display_name, field("description"), field("roles"));
    }
    scopes
}

fn add(scopes: &mut Vec<ApiScope>, name: &str, display_name: &str, description: &str, roles: &str) {
    if name.is_empty() || scopes.iter().any(|known| known.name == name) {
        return;
    }
    scopes.push(ApiScope {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        description: description.to_owned(),
        roles: split(roles),
        shared: false,
    });
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Scopes that an operation asks for: its own `security`, else the document's, over OAuth2 schemes; and `x-scope`.
pub(super) fn needed(document: &Value, operation: &Value, schemes: &Map<String, Value>) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    let security = operation.get("security").or_else(|| document.get("security"));
    for requirement in security.and_then(Value::as_array).into_iter().flatten() {
        for (scheme, names) in requirement.as_object().into_iter().flatten() {
            if schemes.contains_key(scheme) {
                scopes.extend(names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            }
        }
    }
    scopes.extend(operation.get("x-scope").and_then(Value::as_str).map(split).unwrap_or_default());
    let mut seen = std::collections::HashSet::new();
    scopes.retain(|scope| !scope.is_empty() && seen.insert(scope.clone()));
    scopes
}
