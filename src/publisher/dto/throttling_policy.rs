//! `ThrottlingPolicy` of the publisher.

use domain::throttling::{AdvancedPolicy, Limit, Quota, SubscriptionPolicy};
use serde::Serialize;
use serde_json::{Map, Value};

/// `requestCount` of a policy that limits nothing.
const UNLIMITED_COUNT: u64 = i32::MAX as u64;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottlingPolicyDto {
    name: String,
    description: String,
    policy_level: &'static str,
    display_name: String,
    attributes: Map<String, Value>,
    request_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_unit: Option<&'static str>,
    /// Length of the window in milliseconds.
    unit_time: u64,
    time_unit: &'static str,
    rate_limit_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit_time_unit: Option<&'static str>,
    quota_policy_type: &'static str,
    tier_plan: String,
    stop_on_quota_reach: bool,
    monetization_properties: Map<String, Value>,
}

impl ThrottlingPolicyDto {
    pub fn subscription(policy: &SubscriptionPolicy) -> Self {
        let (request_count, data_unit, quota_policy_type) = amount(policy.limit.as_ref());
        Self {
            name: policy.name.clone(),
            description: policy.description.clone(),
            policy_level: "subscription",
            display_name: policy.display_name.clone(),
            attributes: Map::new(),
            request_count,
            data_unit,
            unit_time: policy
                .limit
                .as_ref()
                .map_or(0, |limit| limit.time_unit.nominal_ms().saturating_mul(u64::from(limit.unit_time))),
            time_unit: policy.limit.as_ref().map_or("ms", |limit| limit.time_unit.as_str()),
            rate_limit_count: policy.rate_limit.map_or(0, |limit| limit.count),
            rate_limit_time_unit: policy.rate_limit.map(|limit| limit.time_unit.as_str()),
            quota_policy_type,
            tier_plan: policy.billing_plan.clone(),
            stop_on_quota_reach: policy.stop_on_quota_reach,
            monetization_properties: Map::new(),
        }
    }

    pub fn advanced(policy: &AdvancedPolicy) -> Self {
        let (request_count, data_unit, quota_policy_type) = amount(policy.limit.as_ref());
        let window = |limit: &Limit| limit.time_unit.nominal_ms().saturating_mul(u64::from(limit.unit_time));
        Self {
            name: policy.name.clone(),
            description: policy.description.clone(),
            policy_level: "api",
            display_name: policy.display_name.clone(),
            attributes: Map::new(),
            request_count,
            data_unit,
            unit_time: policy.limit.as_ref().map_or(0, window),
            time_unit: policy.limit.as_ref().map_or("ms", |limit| limit.time_unit.as_str()),
            rate_limit_count: 0,
            rate_limit_time_unit: None,
            quota_policy_type,
            tier_plan: "FREE".to_owned(),
            stop_on_quota_reach: true,
            monetization_properties: Map::new(),
        }
    }
}

fn amount(limit: Option<&Limit>) -> (u64, Option<&'static str>, &'static str) {
    match limit.map(|limit| &limit.quota) {
        None => (UNLIMITED_COUNT, None, "REQUESTCOUNT"),
        Some(Quota::RequestCount { requests }) => (*requests, None, "REQUESTCOUNT"),
        Some(Quota::EventCount { events }) => (*events, None, "EVENTCOUNT"),
        Some(Quota::Bandwidth { bytes }) => (bytes / 1024, Some("KB"), "BANDWIDTHVOLUME"),
    }
}
