//! The live quota of a subscription: our addition to the contract.

use control_plane::quotas::SubscriptionQuota;
use domain::contract::throttle_inspector::{Count, WindowState};
use domain::throttling::Quota;
use serde::Serialize;

/// Every unit of `limit` is `used`, `lent` or `remaining`, unless the limit was lowered within the window. Where nothing
/// is limited, `limit` and all that follows from it are null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionQuotaDto {
    subscription_id: String,
    policy: String,
    /// As in the policy's `defaultLimit`; null without a limit.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    /// What is counted: `calls`, or `bytes` of requests.
    unit: Option<&'static str>,
    limit: Option<u64>,
    /// Units that calls have spent.
    used: Option<u64>,
    /// Units that gateways hold for calls to come; those that stay idle come back.
    lent: Option<u64>,
    /// Units that nobody holds.
    remaining: Option<u64>,
    stop_on_quota_reach: bool,
    /// False for windows that open with calls, while none is open: the next call opens one. Then all units remain, and there is
    /// neither start nor end.
    is_window_open: Option<bool>,
    window_start: Option<String>,
    window_end: Option<String>,
    resets_in_seconds: Option<u64>,
    /// False while it is not known of every gateway what it holds: `used` may be too high then, and `lent` too low.
    is_exact: Option<bool>,
}

impl From<&SubscriptionQuota> for SubscriptionQuotaDto {
    fn from(quota: &SubscriptionQuota) -> Self {
        let (kind, unit) = match quota.limit.as_ref().map(|limit| &limit.quota) {
            None => (None, None),
            Some(Quota::RequestCount { .. }) => (Some("REQUESTCOUNTLIMIT"), Some("calls")),
            Some(Quota::Bandwidth { .. }) => (Some("BANDWIDTHLIMIT"), Some("bytes")),
            Some(Quota::EventCount { .. }) => (Some("EVENTCOUNTLIMIT"), None),
        };
        let (limit, count) = (quota.units(), quota.count.as_ref());
        let window = count.and_then(Count::window);
        Self {
            subscription_id: quota.subscription_id.to_string(),
            policy: quota.policy.clone(),
            kind,
            unit,
            limit,
            used: count.and_then(Count::used),
            lent: count.and_then(Count::lent),
            remaining: limit.zip(count).and_then(|(limit, count)| count.remaining(limit)),
            stop_on_quota_reach: quota.stops,
            is_window_open: count.and_then(Count::is_open),
            window_start: window.map(|window| window.start.to_string()),
            window_end: window.map(|window| window.end.to_string()),
            resets_in_seconds: window.map(WindowState::ends_in_secs),
            is_exact: count.and_then(Count::is_exact),
        }
    }
}
