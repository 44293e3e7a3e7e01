//! Every reference in the document: local ones must lead somewhere, others are reported and never followed.

use serde_json::{Map, Value};

use super::Check;
use crate::definition::openapi::pointer::{self, Target, join};
use crate::definition::openapi::{FINDINGS_MAX, Generation};

/// Members whose content is data of the API and no part of the definition.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Members whose keys are names that the author chose, so that a key `example` or `x-y` means nothing there.
const NAMES: [&str; 12] = [
    "properties",
    "patternProperties",
    "definitions",
    "$defs",
    "schemas",
    "responses",
    "parameters",
    "headers",
    "requestBodies",
    "dependentSchemas",
    "callbacks",
    "pathItems",
];

impl<'a> Check<'a> {
    pub(super) fn references(&mut self) {
        if let Some(root) = self.root.as_object() {
            // The reader bounded the depth, so recursion is safe here.
            self.walk("", root, false);
        }
    }

    fn walk(&mut self, pointer: &str, object: &'a Map<String, Value>, is_name_map: bool) {
        if self.findings.errors.len() >= FINDINGS_MAX {
            return;
        }
        // A schema with its own `$id` is a document of its own; what it refers to is relative to that.
        let is_embedded = self.generation == Generation::V3_1 && object.get("$id").is_some_and(Value::is_string);
        if is_embedded && !is_name_map {
            return;
        }
        for (key, value) in object {
            if !is_name_map && (DATA.contains(&key.as_str()) || key.starts_with("x-")) {
                continue;
            }
            match value {
                Value::String(reference) if key == "$ref" && !is_name_map => self.reference(pointer, reference),
                Value::Object(child) => {
                    self.walk(&join(pointer, key), child, !is_name_map && NAMES.contains(&key.as_str()));
                }
                Value::Array(items) => self.walk_items(&join(pointer, key), items),
                _ => {}
            }
        }
    }

    fn walk_items(&mut self, pointer: &str, items: &'a [Value]) {
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::Object(child) => self.walk(&format!("{pointer}/{index}"), child, false),
                Value::Array(items) => self.walk_items(&format!("{pointer}/{index}"), items),
                _ => {}
            }
        }
    }

    fn reference(&mut self, pointer: &str, reference: &str) {
        let shown: String = reference.chars().take(200).collect();
        match pointer::lookup(self.root, reference) {
            Target::Missing => self.findings.error(pointer, format!("the reference '{shown}' leads nowhere")),
            Target::Anchor if self.generation == Generation::V3_1 => {}
            Target::Anchor => self.findings.error(pointer, format!("the reference '{shown}' is no JSON pointer")),
            Target::External => {
                self.findings.warn(pointer, format!("the reference '{shown}' to another document is not followed"));
            }
            // Schemas may well refer to themselves; chains of mere references may not.
            Target::Value(value) if pointer::resolve(self.root, value) == Target::Cyclic => {
                self.findings.error(pointer, format!("the reference '{shown}' leads back to itself"));
            }
            Target::Value(_) | Target::Cyclic => {}
        }
    }
}
