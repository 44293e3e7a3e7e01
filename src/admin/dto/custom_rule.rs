//! `CustomRule`.

use domain::throttling::CustomRule;
use domain::{Failure, Organization, PolicyId};
use http::throttle_limit::ThrottleLimitDto;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::policy::{PolicyDto, of_policy, text, throttle_policy_dto};

throttle_policy_dto! {
    /// `CustomRule`; its limit is part of the rule, `defaultLimit` is not looked at.
    CustomRuleDto {
        /// A sentence of this product's own language, not the original's stream query.
        siddhi_query: String,
        key_template: String,
    }
}

impl PolicyDto for CustomRuleDto {
    type Policy = CustomRule;
    const COLLECTION: &'static str = "custom";
    const SUBTYPE: &'static str = "custom rule";

    fn id(policy: &CustomRule) -> PolicyId {
        policy.id
    }

    fn from_policy(policy: &CustomRule) -> Self {
        of_policy!(policy, "CustomRule", None, {
            siddhi_query: policy.rule.clone(),
            key_template: policy.key_template.clone(),
        })
    }

    fn into_policy(self, organization: &Organization) -> Result<CustomRule, Failure> {
        let (display_name, description) = self.texts()?;
        Ok(CustomRule {
            id: PolicyId::random(),
            organization: organization.clone(),
            display_name,
            description,
            name: self.policy_name,
            key_template: self.key_template,
            rule: self.siddhi_query,
            other: Map::new(),
        })
    }
}
