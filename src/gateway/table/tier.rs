//! What a policy's name stands for when a call is decided.

use domain::contract::throttle::LeaseRequest;
use domain::throttling::{Limit, Quota, RateLimit, TimeUnit};

/// What a policy says of a call. Quotas of events let calls pass: they count what streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// There is no such policy: nothing can be said about the call.
    Unknown,
    Unlimited,
    Requests(RequestQuota),
}

/// What a subscription's policy says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionLimits {
    pub tier: Tier,
    /// Spike arrest.
    pub burst: Option<RateLimit>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Calls, before they pass.
    Calls,
    /// Bytes of request bodies, once they are known: a call passes while something is left.
    Bytes,
}

/// At most `requests` of what `measure` says in each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestQuota {
    pub requests: u64,
    pub unit_time: u32,
    pub time_unit: TimeUnit,
    pub measure: Measure,
    /// Whether calls over the quota are refused; else they are counted only.
    pub stops: bool,
}

impl RequestQuota {
    /// The wish for so many units of a key under this quota.
    #[must_use]
    pub fn wish(&self, key: &str, units: u64) -> LeaseRequest {
        let (limit, unit_time, time_unit) = (self.requests, self.unit_time, self.time_unit);
        LeaseRequest { key: key.to_owned(), limit, unit_time, time_unit, units }
    }
}

impl Tier {
    pub(super) fn new(limit: Option<&Limit>, stops: bool) -> Self {
        let Some(Limit { quota, unit_time, time_unit }) = limit else { return Self::Unlimited };
        let (requests, measure) = match quota {
            Quota::RequestCount { requests } => (*requests, Measure::Calls),
            Quota::Bandwidth { bytes } => (*bytes, Measure::Bytes),
            Quota::EventCount { .. } => return Self::Unlimited,
        };
        Self::Requests(RequestQuota { requests, unit_time: *unit_time, time_unit: *time_unit, measure, stops })
    }
}

impl SubscriptionLimits {
    pub const UNKNOWN: Self = Self { tier: Tier::Unknown, burst: None };
    pub const UNLIMITED: Self = Self { tier: Tier::Unlimited, burst: None };
}
