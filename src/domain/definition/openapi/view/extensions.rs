//! WSO2's extension keys: written into the publisher's document, taken out of the subscriber's.

use serde_json::{Map, Value, json};

use crate::api::{Api, Endpoint};

/// Root keys that WSO2 derives from the API; what an uploaded document had under them is replaced.
const DERIVED: [&str; 8] = [
    "x-wso2-auth-header",
    "x-wso2-cors",
    "x-wso2-production-endpoints",
    "x-wso2-sandbox-endpoints",
    "x-wso2-basePath",
    "x-wso2-transports",
    "x-wso2-application-security",
    "x-wso2-response-cache",
];

/// Keys, at any of root, path and operation, that say where and how back ends are reached.
const PRIVATE: [&str; 9] = [
    "x-wso2-production-endpoints",
    "x-wso2-sandbox-endpoints",
    "x-wso2-cors",
    "x-wso2-response-cache",
    "x-wso2-security",
    "x-mediation-script",
    "x-amazon-apigateway-integration",
    "x-google-backend",
    "x-ms-paths",
];

pub(super) fn write(root: &mut Map<String, Value>, api: &Api) {
    for key in DERIVED {
        root.shift_remove(key);
    }
    let details = &api.details;
    let mut put = |key: &str, value: Value| root.insert(key.to_owned(), value);
    put("x-wso2-auth-header", json!(details.authorization_header.as_deref().unwrap_or("Authorization")));
    if let Some(cors) = details.other.get("corsConfiguration").filter(|cors| cors.is_object()) {
        put("x-wso2-cors", cors.clone());
    }
    let kind = details.endpoints.config.get("endpoint_type").and_then(Value::as_str).unwrap_or("http");
    let endpoints = |endpoint: &Endpoint| json!({ "urls": [endpoint.url], "type": kind });
    if let Some(endpoint) = &details.endpoints.production {
        put("x-wso2-production-endpoints", endpoints(endpoint));
    }
    if let Some(endpoint) = &details.endpoints.sandbox {
        put("x-wso2-sandbox-endpoints", endpoints(endpoint));
    }
    put("x-wso2-basePath", json!(api.full_context()));
    put("x-wso2-transports", json!(details.transports));
    let kinds: Vec<&String> = details.security_schemes.iter().filter(|name| is_application_level(name)).collect();
    put("x-wso2-application-security", json!({ "security-types": kinds, "optional": false }));
    let is_cached = details.other.get("responseCachingEnabled").and_then(Value::as_bool).unwrap_or(false);
    let timeout_secs = details.other.get("cacheTimeout").and_then(Value::as_u64).unwrap_or(300);
    put("x-wso2-response-cache", json!({ "enabled": is_cached, "cacheTimeoutInSeconds": timeout_secs }));
}

/// Schemes that identify an application; `mutualssl` and the `.._mandatory` flags are no such.
fn is_application_level(scheme: &str) -> bool {
    matches!(scheme, "oauth2" | "basic_auth" | "api_key")
}

/// Takes out what names back ends, on all levels.
pub(super) fn remove_private(root: &mut Map<String, Value>) {
    strip(root);
    for item in root.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let Some(item) = item.as_object_mut() else { continue };
        strip(item);
        item.values_mut().filter_map(Value::as_object_mut).for_each(strip);
    }
}

fn strip(object: &mut Map<String, Value>) {
    for key in PRIVATE {
        object.shift_remove(key);
    }
    object.shift_remove("servers");
}
