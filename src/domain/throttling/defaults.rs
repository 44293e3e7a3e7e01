//! The policies that every tenant starts with; clients take them for granted.

use serde_json::{Map, Value};

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
            "Allows 10000 requests per minute when subscription validation is disabled",
        ),
    ]
    .into_iter()
    .map(|(name, limit, description)| policy(organization, name, limit, description))
    .collect()
}

/// Events of a policy that limits none in effect, and subscribers of one that has room for all.
const NO_BOUND: u64 = i32::MAX as u64;

/// `AsyncGold` and its siblings for APIs that stream, and the `AsyncWH` ones for webhooks, which also limit who subscribes.
#[must_use]
pub fn streaming_policies(organization: &Organization) -> Vec<SubscriptionPolicy> {
    let (day, month) = (TimeUnit::Day, TimeUnit::Month);
    [
        ("AsyncGold", 50_000, day, None, "Allows 50000 events per day"),
        ("AsyncSilver", 25_000, day, None, "Allows 25000 events per day"),
        ("AsyncBronze", 5_000, day, None, "Allows 5000 events per day"),
        ("AsyncUnlimited", NO_BOUND, day, None, "Allows unlimited events"),
        (
            "AsyncDefaultSubscriptionless",
            10_000,
            day,
            None,
            "Allows 10000 events per day when subscription validation is disabled",
        ),
        ("AsyncWHGold", 10_000, month, Some(1_000), "Allows 10000 events per month and 1000 active subscriptions"),
        ("AsyncWHSilver", 5_000, month, Some(500), "Allows 5000 events per month and 500 active subscriptions"),
        // The original's description says 500, too, and its policy has 100.
        ("AsyncWHBronze", 1_000, month, Some(100), "Allows 1000 events per month and 100 active subscriptions"),
        (
            "AsyncWHUnlimited",
            NO_BOUND,
            month,
            Some(NO_BOUND),
            "Allows unlimited events and unlimited active subscriptions",
        ),
    ]
    .into_iter()
    .map(|(name, events, time_unit, subscribers, description)| {
        let limit = Limit::new(Quota::EventCount { events }, 1, time_unit);
        let other = subscribers.map(|count| ("subscriberCount".to_owned(), Value::from(count)));
        SubscriptionPolicy { other: Map::from_iter(other), ..policy(organization, name, Some(limit), description) }
    })
    .collect()
}

fn policy(organization: &Organization, name: &str, limit: Option<Limit>, description: &str) -> SubscriptionPolicy {
    SubscriptionPolicy {
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
    }
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
