//! `Policy`, `SubscriptionPolicy`, `ApplicationPolicy`.

use domain::throttling::{ApplicationPolicy, SubscriptionPolicy};
use domain::{Organization, PolicyId};
use serde::Serialize;

use super::limit::ThrottleLimitDto;

/// What all kinds have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyDto {
    id: u32,
    /// Absent when the tenant is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<i64>,
    tenant_domain: Organization,
    name: String,
}

impl PolicyDto {
    pub(in super::super) fn new(id: PolicyId, organization: &Organization, tenant_id: Option<i64>, name: &str) -> Self {
        Self { id: id.number(), tenant_id, tenant_domain: organization.clone(), name: name.to_owned() }
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionPolicyDto {
    #[serde(flatten)]
    policy: PolicyDto,
    quota_type: &'static str,
    /// 0 when nothing arrests spikes.
    rate_limit_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit_time_unit: Option<&'static str>,
    stop_on_quota_reach: bool,
    #[serde(rename = "graphQLMaxComplexity")]
    graphql_complexity_max: i64,
    #[serde(rename = "graphQLMaxDepth")]
    graphql_depth_max: i64,
    default_limit: ThrottleLimitDto,
}

impl From<(&SubscriptionPolicy, PolicyDto)> for SubscriptionPolicyDto {
    fn from((stored, policy): (&SubscriptionPolicy, PolicyDto)) -> Self {
        let default_limit = ThrottleLimitDto::of(stored.limit.as_ref());
        let number = |field: &str| stored.other.get(field).and_then(serde_json::Value::as_i64).unwrap_or(0);
        Self {
            policy,
            quota_type: default_limit.quota_type(),
            rate_limit_count: stored.rate_limit.map_or(0, |limit| limit.count),
            rate_limit_time_unit: stored.rate_limit.map(|limit| limit.time_unit.as_str()),
            stop_on_quota_reach: stored.stop_on_quota_reach,
            graphql_complexity_max: number("graphQLMaxComplexity"),
            graphql_depth_max: number("graphQLMaxDepth"),
            default_limit,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationPolicyDto {
    #[serde(flatten)]
    policy: PolicyDto,
    quota_type: &'static str,
    default_limit: ThrottleLimitDto,
}

impl From<(&ApplicationPolicy, PolicyDto)> for ApplicationPolicyDto {
    fn from((stored, policy): (&ApplicationPolicy, PolicyDto)) -> Self {
        let default_limit = ThrottleLimitDto::of(stored.limit.as_ref());
        Self { policy, quota_type: default_limit.quota_type(), default_limit }
    }
}
