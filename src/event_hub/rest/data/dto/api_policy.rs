//! `ApiPolicy`, `ApiPolicyConditionGroup`, `Condition`.

use domain::throttling::AdvancedPolicy;
use domain::throttling::advanced::{Condition, Subject};
use serde::Serialize;

use super::limit::ThrottleLimitDto;
use super::policy::PolicyDto;

/// Limits count the calls of everybody together.
const PER_API: &str = "apiLevel";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiPolicyDto {
    #[serde(flatten)]
    policy: PolicyDto,
    quota_type: &'static str,
    applicable_level: &'static str,
    default_limit: ThrottleLimitDto,
    condition_groups: Vec<ApiPolicyConditionGroupDto>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiPolicyConditionGroupDto {
    policy_id: u32,
    quota_type: &'static str,
    /// Place in the order in which groups are tried, from 1.
    condition_group_id: usize,
    condition: Vec<ConditionDto>,
    default_limit: ThrottleLimitDto,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConditionDto {
    condition_type: &'static str,
    name: String,
    value: String,
    is_inverted: bool,
}

impl From<(&AdvancedPolicy, PolicyDto)> for ApiPolicyDto {
    fn from((stored, policy): (&AdvancedPolicy, PolicyDto)) -> Self {
        let policy_id = policy.id();
        let groups = stored.groups.iter().enumerate().map(|(place, group)| {
            let default_limit = ThrottleLimitDto::from(&group.limit);
            ApiPolicyConditionGroupDto {
                policy_id,
                quota_type: default_limit.quota_type(),
                condition_group_id: place + 1,
                condition: group.conditions.iter().map(ConditionDto::from).collect(),
                default_limit,
            }
        });
        let default_limit = ThrottleLimitDto::of(stored.limit.as_ref());
        Self {
            policy,
            quota_type: default_limit.quota_type(),
            applicable_level: PER_API,
            condition_groups: groups.collect(),
            default_limit,
        }
    }
}

impl From<&Condition> for ConditionDto {
    fn from(condition: &Condition) -> Self {
        let (condition_type, name, value) = match &condition.subject {
            Subject::Header { name, value } => ("Header", name.clone(), value.clone()),
            Subject::Address { address } => ("IPSpecific", "IPSpecific".to_owned(), address.to_string()),
            Subject::AddressRange { first, last } => ("IPRange", first.to_string(), last.to_string()),
            Subject::Claim { claim, value } => ("JWTClaims", claim.clone(), value.clone()),
            Subject::QueryParameter { name, value } => ("QueryParameterType", name.clone(), value.clone()),
        };
        Self { condition_type, name, value, is_inverted: condition.is_inverted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_tells_what_it_looks_at_by_name_and_value() {
        let dto = |subject| ConditionDto::from(&Condition { is_inverted: true, subject });
        let range = Subject::AddressRange { first: [10, 0, 0, 1].into(), last: [10, 0, 0, 9].into() };
        let expected = ConditionDto {
            condition_type: "IPRange",
            name: "10.0.0.1".to_owned(),
            value: "10.0.0.9".to_owned(),
            is_inverted: true,
        };
        assert_eq!(dto(range), expected);
        let claim = dto(Subject::Claim { claim: "http://wso2.org/claims/tier".to_owned(), value: "gold".to_owned() });
        assert_eq!((claim.name.as_str(), claim.value.as_str()), ("http://wso2.org/claims/tier", "gold"));
    }
}
