//! `GlobalPolicy`.

use domain::throttling::CustomRule;
use serde::Serialize;

use super::policy::PolicyDto;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GlobalPolicyDto {
    #[serde(flatten)]
    policy: PolicyDto,
    /// A sentence of this product's own language.
    siddhi_query: String,
    key_template: String,
}

impl From<(&CustomRule, PolicyDto)> for GlobalPolicyDto {
    fn from((stored, policy): (&CustomRule, PolicyDto)) -> Self {
        Self { policy, siddhi_query: stored.rule.clone(), key_template: stored.key_template.clone() }
    }
}
