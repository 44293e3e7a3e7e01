//! `ThrottlingPolicy`, as far as publisher and developer portal show the same of it.

use domain::throttling::{Limit, Quota, SubscriptionPolicy};
use serde::Serialize;
use serde_json::{Map, Value};

/// `requestCount` of a policy that limits nothing.
const UNLIMITED_COUNT: u64 = i32::MAX as u64;

/// The common fields; each plane flattens them into its own `ThrottlingPolicy`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TierDto {
    name: String,
    description: String,
    policy_level: &'static str,
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
    /// The wire knows no word for events.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_policy_type: Option<&'static str>,
    tier_plan: String,
    stop_on_quota_reach: bool,
}

impl TierDto {
    #[must_use]
    pub fn subscription(policy: &SubscriptionPolicy) -> Self {
        Self {
            rate_limit_count: policy.rate_limit.map_or(0, |limit| limit.count),
            rate_limit_time_unit: policy.rate_limit.map(|limit| limit.time_unit.as_str()),
            tier_plan: policy.billing_plan.clone(),
            stop_on_quota_reach: policy.stop_on_quota_reach,
            ..Self::new("subscription", &policy.name, &policy.description, policy.limit.as_ref())
        }
    }

    /// A policy without plan and rate limit, of the wire's level `policy_level`.
    #[must_use]
    pub fn new(policy_level: &'static str, name: &str, description: &str, limit: Option<&Limit>) -> Self {
        let (request_count, data_unit, quota_policy_type) = match limit.map(|limit| &limit.quota) {
            None => (UNLIMITED_COUNT, None, Some("REQUESTCOUNT")),
            Some(Quota::RequestCount { requests }) => (*requests, None, Some("REQUESTCOUNT")),
            Some(Quota::EventCount { events }) => (*events, None, None),
            Some(Quota::Bandwidth { bytes }) => (bytes / 1024, Some("KB"), Some("BANDWIDTHVOLUME")),
        };
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            policy_level,
            attributes: Map::new(),
            request_count,
            data_unit,
            unit_time: limit.map_or(0, |limit| limit.time_unit.nominal_ms().saturating_mul(u64::from(limit.unit_time))),
            time_unit: limit.map_or("ms", |limit| limit.time_unit.as_str()),
            rate_limit_count: 0,
            rate_limit_time_unit: None,
            quota_policy_type,
            tier_plan: "FREE".to_owned(),
            stop_on_quota_reach: true,
        }
    }

    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name
    }
}
