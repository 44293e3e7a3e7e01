//! Subscription and application policies (WSO2 admin `throttling/policies`).

use serde::{Deserialize, Serialize};

use super::OnTmLoss;
use super::window::{Shape, WindowKind};
use crate::{Organization, PolicyId, Zone};

/// The name that limits nothing.
pub const UNLIMITED: &str = "Unlimited";
/// Those that limit nothing in effect, also of APIs that stream.
pub const UNLIMITED_ONES: [&str; 3] = [UNLIMITED, "AsyncUnlimited", "AsyncWHUnlimited"];
/// Tier of calls to APIs that need no subscription.
pub const DEFAULT_SUBSCRIPTIONLESS: &str = "DefaultSubscriptionless";
/// Tier of calls to operations that need no token.
pub const UNAUTHENTICATED: &str = "Unauthenticated";

/// Whether the name of an advanced policy stands for one that limits.
#[must_use]
pub fn is_limiting(name: &str) -> bool {
    !name.is_empty() && name != UNLIMITED
}

/// The kinds of policies that limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    Subscription,
    Application,
    Advanced,
    Custom,
}

/// Unit of a window's length (WSO2 `timeUnit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    Sec,
    Min,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl TimeUnit {
    pub const ALL: [Self; 7] = [Self::Sec, Self::Min, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sec => "sec",
            Self::Min => "min",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Takes the singular, the plural and the long forms that clients send (`hours`, `days`, `minute`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().trim_end_matches('s') {
            "sec" | "second" => Some(Self::Sec),
            "min" | "minute" => Some(Self::Min),
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            "year" => Some(Self::Year),
            _ => None,
        }
    }

    /// Nominal length in milliseconds (month: 30 days, year: 365), WSO2's `unitTime` on the devportal.
    #[must_use]
    pub fn nominal_ms(self) -> u64 {
        const DAY: u64 = 86_400_000;
        match self {
            Self::Sec => 1_000,
            Self::Min => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Year => 365 * DAY,
        }
    }
}

/// How much of something per window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    pub quota: Quota,
    /// Number of `time_unit`s in a window, at least 1.
    pub unit_time: u32,
    pub time_unit: TimeUnit,
    /// When a window begins.
    #[serde(default, skip_serializing_if = "WindowKind::is_default")]
    pub window: WindowKind,
    /// What counts while no traffic manager decides; `None` for what gateways are configured to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_tm_loss: Option<OnTmLoss>,
}

impl Limit {
    /// So much in each window of the calendar.
    #[must_use]
    pub fn new(quota: Quota, unit_time: u32, time_unit: TimeUnit) -> Self {
        Self { quota, unit_time, time_unit, window: WindowKind::Aligned, on_tm_loss: None }
    }

    /// Its windows where the tenant's clocks are those of `zone`.
    #[must_use]
    pub fn shape(&self, zone: Zone) -> Shape {
        Shape::new(self.unit_time, self.time_unit, self.window, zone)
    }

    /// Units of a window that calls count against: calls, or bytes of requests; `None` when it counts events.
    #[must_use]
    pub fn counted_units(&self) -> Option<u64> {
        match self.quota {
            Quota::RequestCount { requests } => Some(requests),
            Quota::Bandwidth { bytes } => Some(bytes),
            Quota::EventCount { .. } => None,
        }
    }

    /// Whether it is one for APIs that stream, which no call of a plain HTTP API counts against.
    #[must_use]
    pub fn counts_events(&self) -> bool {
        matches!(self.quota, Quota::EventCount { .. })
    }
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Quota {
    RequestCount { requests: u64 },
    Bandwidth { bytes: u64 },
    EventCount { events: u64 },
}

/// Spike arrest of a subscription policy (WSO2 `rateLimitCount`, `rateLimitTimeUnit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RateLimit {
    pub count: u64,
    pub time_unit: TimeUnit,
}

/// WSO2 admin `SubscriptionThrottlePolicy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionPolicy {
    pub id: PolicyId,
    pub organization: Organization,
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// `None` limits nothing.
    pub limit: Option<Limit>,
    pub rate_limit: Option<RateLimit>,
    /// Whether calls over the quota are refused; else they pass.
    pub stop_on_quota_reach: bool,
    /// `FREE` or `COMMERCIAL`.
    pub billing_plan: String,
    /// The remaining fields of the wire object, kept as they came.
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// WSO2 admin `ApplicationThrottlePolicy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApplicationPolicy {
    pub id: PolicyId,
    pub organization: Organization,
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// `None` limits nothing.
    pub limit: Option<Limit>,
    /// The remaining fields of the wire object, kept as they came.
    pub other: serde_json::Map<String, serde_json::Value>,
}
