//! Brings `paths` in line with the API's operations.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::api::{Api, Operation};
use crate::definition::openapi::pointer::resolved;
use crate::definition::openapi::read::{VERBS, auth_type_text};
use crate::definition::openapi::{Generation, generate};

/// Drops what the API no longer has, adds what the document does not have, and writes each operation's settings.
pub(super) fn align(generation: Generation, root: &mut Map<String, Value>, api: &Api) {
    let mut wanted: HashMap<(&str, String), &Operation> = HashMap::new();
    for operation in &api.details.operations {
        wanted.insert((&operation.target, operation.verb.to_ascii_lowercase()), operation);
    }
    let mut paths = inlined_paths(root);
    paths.retain(|path, item| {
        let Some(item) = item.as_object_mut().filter(|_| path.starts_with('/')) else { return path.starts_with("x-") };
        // TRACE is a verb too: it never is among the wanted ones.
        item.retain(|key, _| !is_verb(key) || wanted.contains_key(&(path.as_str(), key.clone())));
        item.keys().any(|key| is_verb(key))
    });
    for operation in &api.details.operations {
        let verb = operation.verb.to_ascii_lowercase();
        if !VERBS.contains(&verb.as_str()) {
            continue;
        }
        let item = paths.entry(operation.target.as_str()).or_insert_with(|| json!({}));
        let Some(item) = item.as_object_mut() else { continue };
        let has_parameters = item.contains_key("parameters");
        let entry = item.entry(verb).or_insert_with(|| {
            let mut fresh = generate::operation(generation, &operation.target);
            if has_parameters {
                // The path item declares them already.
                fresh.shift_remove("parameters");
            }
            Value::Object(fresh)
        });
        if let Some(entry) = entry.as_object_mut() {
            write_settings(entry, operation);
        }
    }
    root.insert("paths".to_owned(), Value::Object(paths));
}

fn is_verb(key: &str) -> bool {
    key == "trace" || VERBS.contains(&key)
}

/// The path items with references resolved, so that each can be changed on its own.
fn inlined_paths(root: &mut Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(mut paths)) = root.get("paths").cloned() else { return Map::new() };
    if paths.values().any(|item| item.get("$ref").is_some()) {
        let whole = Value::Object(root.clone());
        for item in paths.values_mut().filter(|item| item.get("$ref").is_some()) {
            if let Some(target) = resolved(&whole, item) {
                *item = target.clone();
            }
        }
    }
    paths
}

fn write_settings(entry: &mut Map<String, Value>, operation: &Operation) {
    entry.shift_remove("x-scope");
    entry.insert("security".to_owned(), json!([{ "default": operation.scopes }]));
    entry.insert("x-auth-type".to_owned(), json!(auth_type_text(operation.auth)));
    entry.insert("x-throttling-tier".to_owned(), json!(operation.throttling_policy));
}
