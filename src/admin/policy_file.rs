//! A policy in a file: as this API exports it, or as it shows one.

use domain::definition::openapi::Limits;
use domain::definition::tree;
use domain::throttling::{AdvancedPolicy, ApplicationPolicy, CustomRule, SubscriptionPolicy};
use domain::{Failure, Organization};
use http::problem::Problem;
use serde_json::Value;

use crate::dto::advanced_policy::AdvancedThrottlePolicyDto;
use crate::dto::custom_rule::CustomRuleDto;
use crate::dto::exported_policy::{ImportedKind, ImportedPolicy};
use crate::dto::policy::{ApplicationThrottlePolicyDto, PolicyDto, SubscriptionThrottlePolicyDto};

/// A policy of any kind, of the organization that its reader names.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyFile {
    Subscription(SubscriptionPolicy),
    Application(ApplicationPolicy),
    Advanced(AdvancedPolicy),
    Custom(CustomRule),
}

impl PolicyFile {
    /// Reads JSON or YAML: an exported policy (`subtype`, `data`) or the policy alone.
    ///
    /// # Errors
    /// Says what is wrong with which field.
    pub fn read(bytes: &[u8], organization: &Organization) -> Result<Self, String> {
        let document = tree::read(bytes, &Limits::default()).map_err(|error| error.to_string())?;
        let imported = match document.get("subtype") {
            Some(_) => ImportedPolicy::of(document).map_err(|problem| problem.description().to_owned())?,
            None => {
                let kind = kind_of(&document).ok_or(
                    "'type' must be SubscriptionThrottlePolicy, ApplicationThrottlePolicy, AdvancedThrottlePolicy or \
                     CustomRule, unless the file is an exported policy",
                )?;
                ImportedPolicy::bare(kind, document)
            }
        };
        Ok(match imported.kind {
            ImportedKind::Subscription => {
                Self::Subscription(policy::<SubscriptionThrottlePolicyDto>(&imported, organization)?)
            }
            ImportedKind::Application => {
                Self::Application(policy::<ApplicationThrottlePolicyDto>(&imported, organization)?)
            }
            ImportedKind::Advanced => Self::Advanced(policy::<AdvancedThrottlePolicyDto>(&imported, organization)?),
            ImportedKind::Custom => Self::Custom(policy::<CustomRuleDto>(&imported, organization)?),
        })
    }
}

fn policy<D: PolicyDto>(imported: &ImportedPolicy, organization: &Organization) -> Result<D::Policy, String> {
    let dto: D = imported.data().map_err(|problem: Problem| problem.description().to_owned())?;
    dto.into_policy(organization).map_err(|failure: Failure| failure.to_string())
}

/// By its `type`, else by a field that no other kind has.
fn kind_of(document: &Value) -> Option<ImportedKind> {
    if let Some(word) = document.get("type").and_then(Value::as_str) {
        return match word {
            "SubscriptionThrottlePolicy" => Some(ImportedKind::Subscription),
            "ApplicationThrottlePolicy" => Some(ImportedKind::Application),
            "AdvancedThrottlePolicy" => Some(ImportedKind::Advanced),
            "CustomRule" => Some(ImportedKind::Custom),
            _ => None,
        };
    }
    let has = |field: &str| document.get(field).is_some();
    let kinds = [
        ("siddhiQuery", ImportedKind::Custom),
        ("conditionalGroups", ImportedKind::Advanced),
        ("stopOnQuotaReach", ImportedKind::Subscription),
        ("billingPlan", ImportedKind::Subscription),
    ];
    kinds.into_iter().find(|(field, _)| has(field)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: &str = r#""defaultLimit": {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit": "min", "unitTime": 1, "requestCount": 5}}"#;

    fn read(text: &str) -> Result<PolicyFile, String> {
        PolicyFile::read(text.as_bytes(), &Organization::super_tenant())
    }

    #[test]
    fn a_policy_is_read_as_it_is_exported_and_as_it_is_shown() {
        let bare = format!(r#"{{"policyName": "Five", "type": "ApplicationThrottlePolicy", {LIMIT}}}"#);
        assert!(matches!(read(&bare), Ok(PolicyFile::Application(own)) if own.name == "Five" && own.limit.is_some()));
        let exported = format!(r#"{{"type": "throttling policy", "subtype": "subscription policy", "data": {bare}}}"#);
        assert!(matches!(read(&exported), Ok(PolicyFile::Subscription(own)) if own.name == "Five"));
        let untyped = format!(r#"{{"policyName": "Five", "conditionalGroups": [], {LIMIT}}}"#);
        assert!(matches!(read(&untyped), Ok(PolicyFile::Advanced(_))));
        let yaml = "policyName: Rule\nkeyTemplate: $userId\nsiddhiQuery: 5 requests per min\n";
        assert!(matches!(read(yaml), Ok(PolicyFile::Custom(own)) if own.rule == "5 requests per min"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, reason) in [
            ("{}", "'type' must be"),
            (r#"{"type": "ApplicationThrottlePolicy", "policyName": "X"}"#, "defaultLimit"),
            (r#"{"subtype": "tier", "data": {}}"#, "subtype"),
            (r#"{"type": "CustomRule", "policyName": "X"}"#, "siddhiQuery"),
        ] {
            let refusal = read(text).unwrap_err();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }
}
