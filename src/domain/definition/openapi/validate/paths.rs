//! `paths`: templates, path items and the verbs in them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Check;
use super::operations::Seen;
use crate::definition::openapi::Generation;
use crate::definition::openapi::pointer::{self, Target, join};
use crate::definition::openapi::read::VERBS;
use crate::definition::openapi::template::Template;

/// Per shape of a template, the path that has each verb.
type Shapes<'a> = HashMap<String, HashMap<&'a str, &'a str>>;

impl<'a> Check<'a> {
    pub(super) fn paths(&mut self) {
        let is_optional = self.generation == Generation::V3_1
            && self.root.get("paths").is_none()
            && ["components", "webhooks"].iter().any(|field| self.root.get(field).is_some());
        if is_optional {
            return;
        }
        let Some(paths) = self.object(self.root, "", "paths") else { return };
        let mut shapes = Shapes::new();
        let mut seen = Seen::default();
        for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
            let pointer = join("/paths", path);
            let template = match Template::parse(path) {
                Ok(template) => template,
                Err(rule) => {
                    self.findings.error(&pointer, rule);
                    continue;
                }
            };
            if let Some(name) = template.repeated {
                self.findings.warn(&pointer, format!("the path variable '{name}' appears twice"));
            }
            if let Some(item) = self.path_item(&pointer, item) {
                self.shape(&pointer, path, item, &template, &mut shapes);
                self.members(&pointer, item, &template, &mut seen);
            }
        }
    }

    /// Paths that differ in the names of their variables only match the same calls. The specifications forbid them,
    /// large documents have them all the same, for different verbs; two operations for one call are an error.
    fn shape(
        &mut self,
        pointer: &str,
        path: &'a str,
        item: &'a Map<String, Value>,
        template: &Template<'_>,
        shapes: &mut Shapes<'a>,
    ) {
        let verbs = shapes.entry(template.shape.clone()).or_default();
        if let Some(other) = verbs.values().next() {
            self.findings.warn(pointer, format!("matches the same paths as '{other}'"));
        }
        for verb in item.keys().filter(|key| VERBS.contains(&key.as_str())) {
            if let Some(other) = verbs.insert(verb, path) {
                self.findings.error(&join(pointer, verb), format!("matches the same calls as '{verb}' of '{other}'"));
            }
        }
    }

    /// The path item itself or what it refers to; a reference that hides operations is an error.
    fn path_item(&mut self, pointer: &str, item: &'a Value) -> Option<&'a Map<String, Value>> {
        let problem = match pointer::resolve(self.root, item) {
            Target::Value(Value::Object(item)) => return Some(item),
            Target::Value(_) => "a path item must be an object",
            Target::External => "a path item in another document is not supported: put it into this one",
            Target::Missing | Target::Anchor => "the reference leads nowhere",
            Target::Cyclic => "the reference leads back to itself",
        };
        self.findings.error(pointer, problem);
        None
    }

    fn members(&mut self, pointer: &str, item: &'a Map<String, Value>, template: &Template<'_>, seen: &mut Seen<'a>) {
        let shared = self.parameters(pointer, item.get("parameters"));
        for (key, member) in item {
            let at = join(pointer, key);
            if VERBS.contains(&key.as_str()) {
                self.operation(&at, member, template, &shared, seen);
                continue;
            }
            match key.as_str() {
                "trace" if self.generation != Generation::V2 => {
                    self.findings.warn(&at, "TRACE is not served by gateways");
                }
                "parameters" | "$ref" => {}
                "summary" | "description" | "servers" if self.generation != Generation::V2 => {}
                key if key.starts_with("x-") => {}
                key => {
                    self.findings.error(&at, format!("'{key}' is neither an HTTP method nor a field of a path item"))
                }
            }
        }
    }
}
