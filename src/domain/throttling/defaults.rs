//! The policies that every tenant starts with; clients take them for granted.

use serde_json::Map;

use super::AdvancedPolicy;
use super::policy::{
    ApplicationPolicy, DEFAULT_SUBSCRIPTIONLESS, Limit, Quota, SubscriptionPolicy, TimeUnit, UNAUTHENTICATED, UNLIMITED,
};
use crate::{Organization, PolicyId};

fn requests_per_minute(requests: u64) -> Option<Limit> {
    Some(Limit::new(Quota::RequestCount { requests }, 1, TimeUnit::Min))
}

/// `Bronze`, `Silver`, `Gold`, `Unlimited`, `Unauthenticated`, `DefaultSubscriptionless`.
#[must_use]
pub fn subscription_policies(organization: &Organization) -> Vec<SubscriptionPolicy> {
    [
        ("Bronze", requests_per_minute(1000), "Allows 1000 requests per minute"),
        ("Silver", requests_per_minute(2000), "Allows 2000 requests per minute"),
        ("Gold", requests_per_minute(5000), "Allows 5000 requests per minute"),
        (UNLIMITED, None, "Allows unlimited requests"),
        (UNAUTHENTICATED, requests_per_minute(500), "Allows 500 requests per minute and client address"),
        (
            DEFAULT_SUBSCRIPTIONLESS,
            requests_per_minute(10_000),
            "Allows 10000 requests per minute without a subscription",
        ),
    ]
    .into_iter()
    .map(|(name, limit, description)| SubscriptionPolicy {
        id: PolicyId::random(),
        organization: organization.clone(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: description.to_owned(),
        limit,
        rate_limit: None,
        stop_on_quota_reach: true,
        billing_plan: "FREE".to_owned(),
        other: Map::new(),
    })
    .collect()
}

/// `10PerMin`, `20PerMin`, `50PerMin`, `Unlimited`.
#[must_use]
pub fn application_policies(organization: &Organization) -> Vec<ApplicationPolicy> {
    [
        ("10PerMin", requests_per_minute(10), "Allows 10 requests per minute"),
        ("20PerMin", requests_per_minute(20), "Allows 20 requests per minute"),
        ("50PerMin", requests_per_minute(50), "Allows 50 requests per minute"),
        (UNLIMITED, None, "Allows unlimited requests"),
    ]
    .into_iter()
    .map(|(name, limit, description)| ApplicationPolicy {
        id: PolicyId::random(),
        organization: organization.clone(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: description.to_owned(),
        limit,
        other: Map::new(),
    })
    .collect()
}

/// `10KPerMin`, `20KPerMin`, `50KPerMin`, `Unlimited`.
#[must_use]
pub fn advanced_policies(organization: &Organization) -> Vec<AdvancedPolicy> {
    [
        ("10KPerMin", requests_per_minute(10_000), "Allows 10000 requests per minute"),
        ("20KPerMin", requests_per_minute(20_000), "Allows 20000 requests per minute"),
        ("50KPerMin", requests_per_minute(50_000), "Allows 50000 requests per minute"),
        (UNLIMITED, None, "Allows unlimited requests"),
    ]
    .into_iter()
    .map(|(name, limit, description)| AdvancedPolicy {
        id: PolicyId::random(),
        organization: organization.clone(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: description.to_owned(),
        limit,
        groups: Vec::new(),
    })
    .collect()
}
