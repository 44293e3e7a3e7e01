//! Operations: ids, parameters against the template, responses.

use std::collections::HashMap;

use serde_json::Value;

use super::Check;
use super::parameters::Parameters;
use crate::definition::openapi::Generation;
use crate::definition::openapi::pointer::join;
use crate::definition::openapi::template::Template;

/// What must be unique over all operations.
#[derive(Default)]
pub(super) struct Seen<'a> {
    /// Place of each `operationId`.
    ids: HashMap<&'a str, String>,
}

impl<'a> Check<'a> {
    pub(super) fn operation(
        &mut self,
        pointer: &str,
        operation: &'a Value,
        template: &Template<'_>,
        shared: &Parameters,
        seen: &mut Seen<'a>,
    ) {
        let Some(members) = operation.as_object() else {
            self.findings.error(pointer, "an operation must be an object");
            return;
        };
        match members.get("operationId") {
            None => {}
            Some(Value::String(id)) => {
                if let Some(first) = seen.ids.insert(id, pointer.to_owned()) {
                    self.findings.error(&join(pointer, "operationId"), format!("'{id}' is already used at {first}"));
                }
            }
            Some(_) => self.findings.error(&join(pointer, "operationId"), "'operationId' must be a string"),
        }
        let own = self.parameters(pointer, members.get("parameters"));
        self.template_parameters(pointer, template, shared, &own);
        self.responses(pointer, members.get("responses"));
    }

    /// Each variable of the template needs a path parameter. Where a parameter could not be read nobody can tell.
    fn template_parameters(&mut self, pointer: &str, template: &Template<'_>, shared: &Parameters, own: &Parameters) {
        if shared.is_incomplete || own.is_incomplete {
            return;
        }
        let is_declared = |name: &str| [shared, own].iter().any(|set| set.path.iter().any(|known| known == name));
        for name in template.names.iter().filter(|name| !is_declared(name)) {
            self.findings.error(pointer, format!("the path variable '{name}' is not declared as a path parameter"));
        }
        for name in own.path.iter().filter(|name| !template.names.contains(&name.as_str())) {
            self.findings.warn(pointer, format!("the path parameter '{name}' is not in the path"));
        }
    }

    fn responses(&mut self, pointer: &str, responses: Option<&Value>) {
        let is_required = self.generation != Generation::V3_1;
        let at = join(pointer, "responses");
        let responses = match responses {
            None if is_required => return self.findings.error(pointer, "'responses' is required"),
            None => return,
            Some(Value::Object(responses)) => responses,
            Some(_) => return self.findings.error(&at, "'responses' must be an object"),
        };
        if responses.is_empty() && is_required {
            self.findings.error(&at, "at least one response is required");
        }
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with("x-")) {
            if !self.is_status(status) {
                self.findings.error(&join(&at, status), format!("'{status}' is no response code"));
            } else if !response.is_object() {
                self.findings.error(&join(&at, status), "a response must be an object");
            }
        }
    }

    /// `default`, `200`, and from 3.0 on `2XX`.
    fn is_status(&self, text: &str) -> bool {
        if text == "default" {
            return true;
        }
        let Some((class, rest)) = text.split_at_checked(1) else { return false };
        let is_class = matches!(class, "1" | "2" | "3" | "4" | "5");
        let is_range = self.generation != Generation::V2 && rest == "XX";
        is_class && (is_range || (rest.len() == 2 && rest.bytes().all(|byte| byte.is_ascii_digit())))
    }
}
