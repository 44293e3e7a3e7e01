//! Which limits count for a call, level by level in the order in which they are asked.

use std::sync::Arc;

use domain::application::KeyType;
use domain::error_code::{
    API_LIMIT_EXCEEDED, APPLICATION_LIMIT_EXCEEDED, BURST_LIMIT_EXCEEDED, CUSTOM_LIMIT_EXCEEDED, ErrorCode,
    HARD_LIMIT_EXCEEDED, RESOURCE_LIMIT_EXCEEDED, SUBSCRIPTION_LIMIT_EXCEEDED,
};
use domain::runtime::{GatewayApi, GatewayOperation};
use domain::throttling::policy::is_limiting;

use super::view::CallView;
use super::{Burst, Level, Levels, Quota};
use crate::fault::Fault;
use crate::filters::subscription::Plan;
use crate::lease::ThrottleKey;
use crate::local_limit::LocalKey;
use crate::table::{Live, SubscriptionLimits, Tier};

/// What callers and operators know quotas of whole APIs by.
const API_LEVEL: &str = "api";

/// Every level that limits the call.
pub(super) fn levels(live: &Live, call: &CallView<'_>) -> Result<Levels, Fault> {
    let mut levels = Levels::new();
    let Some(tier) = call.access.plan.tier() else { return Ok(levels) };
    advanced(live, call, &mut levels)?;
    subscription(live, call, tier, &mut levels)?;
    application(live, call, &mut levels)?;
    custom(live, call, &mut levels)?;
    back_end(call, &mut levels);
    Ok(levels)
}

/// The API's own policy, else the operation's.
fn advanced(live: &Live, call: &CallView<'_>, levels: &mut Levels) -> Result<(), Fault> {
    let document = &call.api.document;
    let api = document.api_id;
    let Some((level, name)) = advanced_policy(document, call.operation) else { return Ok(()) };
    let Some(policy) = live.policies.advanced(&document.organization, name) else { return Err(unknown(name)) };
    let (tier, group) = policy.of(call);
    let tier = tier.in_zone(live.zones.of(&document.organization));
    if level == API_LEVEL {
        return push(levels, tier, name, ThrottleKey::Api { api, group }, (API_LIMIT_EXCEEDED, level));
    }
    let operation = Arc::clone(call.operation_key);
    push(levels, tier, name, ThrottleKey::Operation { api, operation, group }, (RESOURCE_LIMIT_EXCEEDED, level))
}

/// Level and name of the advanced policy that counts for an operation: the API's own, else the operation's.
#[must_use]
pub fn advanced_policy<'a>(api: &'a GatewayApi, operation: &'a GatewayOperation) -> Option<(&'static str, &'a str)> {
    let own = api.throttling_policy.as_deref().filter(|name| is_limiting(name)).map(|name| (API_LEVEL, name));
    let operation = operation.throttling_policy.as_str();
    own.or_else(|| is_limiting(operation).then_some(("resource", operation)))
}

fn subscription(live: &Live, call: &CallView<'_>, name: &str, levels: &mut Levels) -> Result<(), Fault> {
    let document = &call.api.document;
    let api = document.api_id;
    let consumer = call.access.consumer.as_ref();
    let key = match (&call.access.plan, consumer) {
        (Plan::Subscribed(own), _) => {
            let (application, tier) = (own.subscription.application_id, Arc::clone(&own.tier));
            ThrottleKey::Subscription { application, api, tier }
        }
        (Plan::Subscriptionless, Some(consumer)) => {
            ThrottleKey::Subscriptionless { application: consumer.application.id, api }
        }
        _ => ThrottleKey::Anonymous { address: call.client, api },
    };
    let SubscriptionLimits { tier, burst } = live.consumers.subscription_limits(&document.organization, name);
    let tier = tier.in_zone(live.zones.of(&document.organization));
    push(levels, tier, name, key, (SUBSCRIPTION_LIMIT_EXCEEDED, "subscription"))?;
    if let (Some(limit), Some(consumer)) = (burst, consumer) {
        let key = LocalKey::Burst { application: consumer.application.id, api };
        levels.push(Level::Local(Burst { key, limit, code: BURST_LIMIT_EXCEEDED }));
    }
    Ok(())
}

/// Counted per user within the application.
fn application(live: &Live, call: &CallView<'_>, levels: &mut Levels) -> Result<(), Fault> {
    let (Some(consumer), Some(user)) = (&call.access.consumer, call.user()) else { return Ok(()) };
    let organization = &consumer.application.organization;
    let tier = live.consumers.application_tier(organization, &consumer.tier).in_zone(live.zones.of(organization));
    let application = consumer.application.id;
    let generation = live.consumers.generation(application, &user);
    let key = ThrottleKey::Application { application, user, generation };
    push(levels, tier, &consumer.tier, key, (APPLICATION_LIMIT_EXCEEDED, "application"))
}

fn custom(live: &Live, call: &CallView<'_>, levels: &mut Levels) -> Result<(), Fault> {
    let Some(rules) = live.policies.rules(&call.api.document.organization) else { return Ok(()) };
    let zone = live.zones.of(&call.api.document.organization);
    for own in rules.iter().filter(|own| own.rule.applies(call)) {
        let key = ThrottleKey::Custom { rule: own.id, key: own.template.key(call).into() };
        push(levels, own.tier.in_zone(zone), "custom rule", key, (CUSTOM_LIMIT_EXCEEDED, "custom"))?;
    }
    Ok(())
}

/// The most that the back end may get, from everybody together.
fn back_end(call: &CallView<'_>, levels: &mut Levels) {
    let document = &call.api.document;
    let is_sandbox = call.access.key_type == KeyType::Sandbox;
    let limit = if is_sandbox { document.sandbox_maximum } else { document.production_maximum };
    if let Some(limit) = limit {
        let key = LocalKey::BackEnd { api: document.api_id, is_sandbox };
        levels.push(Level::Local(Burst { key, limit, code: HARD_LIMIT_EXCEEDED }));
    }
}

fn push(
    levels: &mut Levels,
    tier: Tier,
    policy: &str,
    key: ThrottleKey,
    (code, name): (ErrorCode, &'static str),
) -> Result<(), Fault> {
    match tier {
        Tier::Unlimited => {}
        Tier::Requests(quota) => levels.push(Level::Leased(Quota { key, quota, code, name })),
        Tier::Unknown => return Err(unknown(policy)),
    }
    Ok(())
}

fn unknown(policy: &str) -> Fault {
    tracing::warn!(policy.name = policy, "a call is refused because its policy is not known");
    Fault::ThrottleUnavailable
}
