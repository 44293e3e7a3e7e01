//! `SubscriptionPolicy`: a subscription policy as the administrator wrote it.

use domain::throttling::SubscriptionPolicy;
use http::throttle_limit::ThrottleLimitDto;
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionPolicyDto {
    uuid: String,
    policy_name: String,
    display_name: String,
    description: String,
    is_deployed: bool,
    tenant_domain: String,
    default_limit: ThrottleLimitDto,
    rate_limit_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit_time_unit: Option<&'static str>,
    /// Subscribers that one API may have; 0 says nothing of them.
    subscriber_count: u64,
    custom_attributes: Value,
    stop_on_quota_reach: bool,
    billing_plan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Value>,
}

impl From<&SubscriptionPolicy> for SubscriptionPolicyDto {
    fn from(policy: &SubscriptionPolicy) -> Self {
        Self {
            uuid: policy.id.to_string(),
            policy_name: policy.name.clone(),
            display_name: policy.display_name.clone(),
            description: policy.description.clone(),
            is_deployed: true,
            tenant_domain: policy.organization.as_str().to_owned(),
            default_limit: policy.limit.as_ref().map_or_else(ThrottleLimitDto::unlimited, ThrottleLimitDto::from),
            rate_limit_count: policy.rate_limit.map_or(0, |limit| limit.count),
            rate_limit_time_unit: policy.rate_limit.map(|limit| limit.time_unit.as_str()),
            subscriber_count: policy.other.get("subscriberCount").and_then(Value::as_u64).unwrap_or(0),
            custom_attributes: policy
                .other
                .get("customAttributes")
                .cloned()
                .unwrap_or_else(|| Value::Array(Vec::new())),
            stop_on_quota_reach: policy.stop_on_quota_reach,
            billing_plan: policy.billing_plan.clone(),
            permissions: policy.other.get("permissions").cloned(),
        }
    }
}
