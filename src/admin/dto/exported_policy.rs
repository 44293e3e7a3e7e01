//! `ExportThrottlePolicy`: one policy in a file that moves between servers.

use domain::definition::openapi::Limits;
use domain::definition::tree;
use http::json;
use http::problem::Problem;
use serde::Serialize;
use serde_json::Value;

use super::policy::PolicyDto;

/// `type` of every file.
const TYPE: &str = "throttling policy";
/// Version of the format, as WSO2 names it.
const VERSION: &str = "v4.7.0";

#[derive(Debug, Serialize)]
pub struct ExportThrottlePolicyDto<D> {
    #[serde(rename = "type")]
    kind: &'static str,
    subtype: &'static str,
    version: &'static str,
    data: D,
}

impl<D: PolicyDto> ExportThrottlePolicyDto<D> {
    pub fn new(policy: &D::Policy) -> Self {
        Self { kind: TYPE, subtype: D::SUBTYPE, version: VERSION, data: D::from_policy(policy) }
    }
}

/// The kinds of policies, each by its word in `type` and in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportedKind {
    Subscription,
    Application,
    Advanced,
    Custom,
}

impl ImportedKind {
    /// Takes the words of parameters (`sub`, `app`, `api`, `global`), of files (`application policy`, `custom rule`) and of
    /// paths.
    pub fn parse(word: &str) -> Option<Self> {
        match word.split(' ').next()?.to_ascii_lowercase().as_str() {
            "sub" | "subscription" => Some(Self::Subscription),
            "app" | "application" => Some(Self::Application),
            "api" | "advanced" => Some(Self::Advanced),
            "global" | "custom" => Some(Self::Custom),
            _ => None,
        }
    }
}

/// A file taken apart.
#[derive(Debug)]
pub struct ImportedPolicy {
    pub kind: ImportedKind,
    data: Value,
}

impl ImportedPolicy {
    /// Reads JSON or YAML.
    ///
    /// # Errors
    /// 400 that says what is wrong in the file.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let document = tree::read(bytes, &Limits::default());
        Self::of(document.map_err(|error| Problem::invalid("file", error.to_string()))?)
    }

    /// A policy of this kind that stands by itself.
    pub fn bare(kind: ImportedKind, data: Value) -> Self {
        Self { kind, data }
    }

    /// # Errors
    /// As [`Self::read`].
    pub fn of(mut document: Value) -> Result<Self, Problem> {
        let refused = |reason: String| Problem::invalid("file", reason);
        let subtype = document.get("subtype").and_then(Value::as_str).unwrap_or_default();
        let kind = ImportedKind::parse(subtype).ok_or_else(|| {
            refused("'subtype' must name a subscription, application or advanced policy or a custom rule".to_owned())
        })?;
        match document.get_mut("data").map(Value::take) {
            Some(data @ Value::Object(_)) => Ok(Self { kind, data }),
            _ => Err(refused("'data' must be the policy".to_owned())),
        }
    }

    /// The policy, whose kind must be that of `D`.
    ///
    /// # Errors
    /// 400 that names the field.
    pub fn data<D: PolicyDto>(&self) -> Result<D, Problem> {
        json::parse(self.data.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_json_or_yaml_and_say_their_kind() {
        let yaml =
            ImportedPolicy::read(b"type: throttling policy\nsubtype: custom rule\ndata: {policyName: x}").unwrap();
        assert_eq!(yaml.kind, ImportedKind::Custom);
        let json = ImportedPolicy::read(br#"{"subtype": "application", "data": {}}"#).unwrap();
        assert_eq!(json.kind, ImportedKind::Application);
        for wrong in ["", "[1]", "subtype: tier\ndata: {}", "subtype: custom rule", "subtype: custom rule\ndata: 7"] {
            assert!(ImportedPolicy::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
