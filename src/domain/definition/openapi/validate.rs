//! The structural rules of the specifications that Gatewright relies on. Schemas are not judged: they belong to the
//! back end and its callers.

mod operations;
mod parameters;
mod paths;
mod references;

use serde_json::{Map, Value};

use super::pointer::join;
use super::{DefinitionError, FINDINGS_MAX, Generation};

/// What the checks found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub errors: Vec<DefinitionError>,
    pub warnings: Vec<DefinitionError>,
}

impl Findings {
    fn error(&mut self, pointer: &str, message: impl Into<String>) {
        if self.errors.len() < FINDINGS_MAX {
            self.errors.push(DefinitionError::new(pointer, message));
        }
    }

    fn warn(&mut self, pointer: &str, message: impl Into<String>) {
        if self.warnings.len() < FINDINGS_MAX {
            self.warnings.push(DefinitionError::new(pointer, message));
        }
    }
}

/// The document under check.
struct Check<'a> {
    root: &'a Value,
    generation: Generation,
    findings: Findings,
}

/// Applies every rule and collects all violations.
pub(super) fn validate(root: &Value, generation: Generation) -> Findings {
    let mut check = Check { root, generation, findings: Findings::default() };
    check.info();
    check.roots();
    check.paths();
    check.references();
    check.findings
}

impl<'a> Check<'a> {
    fn info(&mut self) {
        let Some(info) = self.object(self.root, "", "info") else { return };
        for field in ["title", "version"] {
            let pointer = join("/info", field);
            match info.get(field) {
                None => self.findings.error("/info", format!("'{field}' is required")),
                Some(Value::String(text)) if text.trim().is_empty() => {
                    self.findings.error(&pointer, format!("'{field}' must not be empty"));
                }
                Some(Value::String(_)) => {}
                Some(_) => self.findings.error(&pointer, format!("'{field}' must be a string")),
            }
        }
        if info.get("description").is_some_and(|text| !text.is_string() && !text.is_null()) {
            self.findings.error("/info/description", "'description' must be a string");
        }
    }

    /// Shapes of the root's members that are read later.
    fn roots(&mut self) {
        match self.generation {
            Generation::V2 => {
                for field in ["host", "basePath"] {
                    if self.root.get(field).is_some_and(|value| !value.is_string()) {
                        self.findings.error(&join("", field), format!("'{field}' must be a string"));
                    }
                }
                self.each_object("securityDefinitions", &["type"]);
            }
            Generation::V3_0 | Generation::V3_1 => {
                self.servers();
                if let Some(components) = self.root.get("components")
                    && !components.is_object()
                {
                    self.findings.error("/components", "'components' must be an object");
                }
            }
        }
    }

    fn servers(&mut self) {
        let Some(servers) = self.root.get("servers") else { return };
        let Some(servers) = servers.as_array() else {
            self.findings.error("/servers", "'servers' must be an array");
            return;
        };
        for (index, server) in servers.iter().enumerate() {
            if !server.get("url").is_some_and(Value::is_string) {
                self.findings.error(&format!("/servers/{index}"), "a server needs a 'url'");
            }
        }
    }

    /// Every member of the root's object `field` must be an object with the given string members.
    fn each_object(&mut self, field: &str, required: &[&str]) {
        let Some(members) = self.root.get(field) else { return };
        let pointer = join("", field);
        let Some(members) = members.as_object() else {
            self.findings.error(&pointer, format!("'{field}' must be an object"));
            return;
        };
        for (name, member) in members {
            for key in required {
                if !member.get(key).is_some_and(Value::is_string) {
                    self.findings.error(&join(&pointer, name), format!("'{key}' is required and must be a string"));
                }
            }
        }
    }

    /// A required object member.
    fn object(&mut self, parent: &'a Value, pointer: &str, field: &str) -> Option<&'a Map<String, Value>> {
        match parent.get(field) {
            None => self.findings.error(pointer, format!("'{field}' is required")),
            Some(Value::Object(object)) => return Some(object),
            Some(_) => self.findings.error(&join(pointer, field), format!("'{field}' must be an object")),
        }
        None
    }
}
