//! What a policy's name stands for when a call is decided.

use domain::Zone;
use domain::contract::throttle::LeaseRequest;
use domain::throttling::{Limit, OnTmLoss, Quota, RateLimit, Shape};

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
    /// By the calendar of the tenant whose policy it is.
    pub shape: Shape,
    /// What counts while no traffic manager decides; `None` for the node's configuration.
    pub on_tm_loss: Option<OnTmLoss>,
    pub measure: Measure,
    /// Whether calls over the quota are refused; else they are counted only.
    pub stops: bool,
}

impl RequestQuota {
    /// The wish for so many units of a key under this quota.
    #[must_use]
    pub fn wish(&self, key: &str, units: u64) -> LeaseRequest {
        LeaseRequest::new(key.to_owned(), self.requests, self.shape, units)
    }
}

impl Tier {
    pub(super) fn new(limit: Option<&Limit>, stops: bool) -> Self {
        let Some(limit) = limit else { return Self::Unlimited };
        let (requests, measure) = match limit.quota {
            Quota::RequestCount { requests } => (requests, Measure::Calls),
            Quota::Bandwidth { bytes } => (bytes, Measure::Bytes),
            Quota::EventCount { .. } => return Self::Unlimited,
        };
        let (shape, on_tm_loss) = (limit.shape(Zone::UTC), limit.on_tm_loss);
        Self::Requests(RequestQuota { requests, shape, on_tm_loss, measure, stops })
    }

    /// The same by the calendar of `zone`.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> Self {
        match self {
            Self::Requests(quota) => Self::Requests(RequestQuota { shape: quota.shape.in_zone(zone), ..quota }),
            other => other,
        }
    }
}

impl SubscriptionLimits {
    pub const UNKNOWN: Self = Self { tier: Tier::Unknown, burst: None };
    pub const UNLIMITED: Self = Self { tier: Tier::Unlimited, burst: None };
}
