//! Parameter lists of path items and operations.

use std::collections::HashSet;

use serde_json::Value;

use super::Check;
use crate::definition::openapi::Generation;
use crate::definition::openapi::pointer::{self, Target};

/// What a list declares.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// Names of the path parameters.
    pub path: Vec<String>,
    /// Whether one is defined in another document or is broken (which is reported at its place).
    pub is_incomplete: bool,
}

impl Check<'_> {
    pub(super) fn parameters(&mut self, owner: &str, list: Option<&Value>) -> Parameters {
        let mut found = Parameters::default();
        let Some(list) = list else { return found };
        let Some(list) = list.as_array() else {
            self.findings.error(&format!("{owner}/parameters"), "'parameters' must be an array");
            return found;
        };
        let mut seen = HashSet::new();
        for (index, parameter) in list.iter().enumerate() {
            let at = format!("{owner}/parameters/{index}");
            let Target::Value(parameter) = pointer::resolve(self.root, parameter) else {
                // The walk over all references says what is wrong with this one.
                found.is_incomplete = true;
                continue;
            };
            let Some((name, place)) = self.parameter(&at, parameter) else {
                found.is_incomplete = true;
                continue;
            };
            if !seen.insert((name, place)) {
                self.findings.error(&at, format!("the {place} parameter '{name}' is declared twice"));
            }
            if place == "path" {
                if parameter.get("required") != Some(&Value::Bool(true)) {
                    self.findings.warn(&at, format!("the path parameter '{name}' should have 'required: true'"));
                }
                found.path.push(name.to_owned());
            }
        }
        found
    }

    /// Name and place of one parameter, or `None` when it breaks a rule.
    fn parameter<'v>(&mut self, at: &str, parameter: &'v Value) -> Option<(&'v str, &'v str)> {
        let text = |field: &str| parameter.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(name), Some(place)) = (text("name"), text("in")) else {
            self.findings.error(at, "a parameter needs 'name' and 'in'");
            return None;
        };
        let places: &[&str] = match self.generation {
            Generation::V2 => &["path", "query", "header", "formData", "body"],
            Generation::V3_0 | Generation::V3_1 => &["path", "query", "header", "cookie"],
        };
        if !places.contains(&place) {
            self.findings.error(at, format!("'in: {place}' is not one of {}", places.join(", ")));
            return None;
        }
        let needed: &[&str] = match (self.generation, place) {
            (Generation::V2, "body") => &["schema"],
            (Generation::V2, _) => &["type"],
            _ => &["schema", "content"],
        };
        if !needed.iter().any(|field| parameter.get(field).is_some()) {
            self.findings.error(at, format!("the parameter '{name}' needs '{}'", needed.join("' or '")));
        }
        Some((name, place))
    }
}
