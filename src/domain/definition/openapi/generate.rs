//! The definition of an API that was made without one.

use serde_json::{Map, Value, json};

use super::template::Template;
use super::{Generation, OpenApi};
use crate::api::Api;

/// A minimal 3.0.1 document without operations.
pub(super) fn empty(api: &Api) -> Value {
    let mut info = Map::new();
    info.insert("title".to_owned(), json!(api.name.as_str()));
    if let Some(description) = api.details.other.get("description").and_then(Value::as_str) {
        info.insert("description".to_owned(), json!(description));
    }
    info.insert("version".to_owned(), json!(api.version.as_str()));
    json!({ "openapi": "3.0.1", "info": info, "servers": [{ "url": "/" }], "paths": {} })
}

/// The document to start from, and which specification it follows.
pub(super) fn base(api: &Api, original: Option<&OpenApi>) -> (Generation, Value) {
    match original {
        Some(original) => (original.kind.generation, original.document.clone()),
        None => (Generation::V3_0, empty(api)),
    }
}

/// An operation that no document describes: its path parameters and a default response.
pub(super) fn operation(generation: Generation, target: &str) -> Map<String, Value> {
    let mut operation = Map::new();
    // A target that is no template cannot come from a checked API; it simply has no parameters.
    let names = Template::parse(target).map(|template| template.names).unwrap_or_default();
    let parameters: Vec<Value> = names.iter().map(|name| path_parameter(generation, name)).collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    operation.insert("responses".to_owned(), json!({ "200": { "description": "OK" } }));
    operation
}

fn path_parameter(generation: Generation, name: &str) -> Value {
    match generation {
        Generation::V2 => json!({ "name": name, "in": "path", "required": true, "type": "string" }),
        Generation::V3_0 | Generation::V3_1 => {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        }
    }
}
