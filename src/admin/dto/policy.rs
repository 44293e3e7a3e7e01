//! `SubscriptionThrottlePolicy`, `ApplicationThrottlePolicy`.

use control_plane::policies::ServedPolicy;
use domain::throttling::policy::UNLIMITED;
use domain::throttling::{ApplicationPolicy, Limit, RateLimit, SubscriptionPolicy, TimeUnit};
use domain::{Failure, Organization, PolicyId};
use http::throttle_limit::ThrottleLimitDto;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A wire form of a kind of policy.
pub trait PolicyDto: Serialize + DeserializeOwned + Send + 'static {
    type Policy: ServedPolicy;
    /// Last segment of the collection's path.
    const COLLECTION: &'static str;
    /// `subtype` of an exported policy.
    const SUBTYPE: &'static str;

    fn id(policy: &Self::Policy) -> PolicyId;
    fn from_policy(policy: &Self::Policy) -> Self;
    /// # Errors
    /// 400 naming the field.
    fn into_policy(self, organization: &Organization) -> Result<Self::Policy, Failure>;
}

/// A policy's wire form: the fields that every kind has, and its own. They are not a struct that is flattened into each,
/// because errors in flattened fields do not name the field.
macro_rules! throttle_policy_dto {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            #[serde(default)]
            policy_id: Option<String>,
            policy_name: String,
            #[serde(default)]
            display_name: Option<String>,
            #[serde(default)]
            description: Option<String>,
            #[serde(default)]
            is_deployed: bool,
            #[serde(rename = "type", default)]
            kind: Option<String>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            default_limit: Option<ThrottleLimitDto>,
            $($own)*
        }

        impl $name {
            /// What people read of the policy: its name and its description.
            fn texts(&self) -> Result<(String, String), Failure> {
                let display_name = self.display_name.clone().unwrap_or_else(|| self.policy_name.clone());
                let description = self.description.clone().unwrap_or_default();
                Ok((text("displayName", display_name, 512)?, text("description", description, 1024)?))
            }
        }
    };
}

/// The wire form of `$policy`: what every kind has, the limit and the own fields.
macro_rules! of_policy {
    ($policy:ident, $kind:literal, $limit:expr, { $($own:tt)* }) => {
        Self {
            policy_id: Some($policy.id.to_string()),
            policy_name: $policy.name.clone(),
            display_name: Some($policy.display_name.clone()),
            description: Some($policy.description.clone()),
            is_deployed: true,
            kind: Some($kind.to_owned()),
            default_limit: $limit,
            $($own)*
        }
    };
}

pub(super) use {of_policy, throttle_policy_dto};

throttle_policy_dto! {
    /// `SubscriptionThrottlePolicy`.
    SubscriptionThrottlePolicyDto {
        #[serde(default)]
        rate_limit_count: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate_limit_time_unit: Option<String>,
        #[serde(default = "yes")]
        stop_on_quota_reach: bool,
        #[serde(default)]
        billing_plan: Option<String>,
        #[serde(flatten)]
        other: Map<String, Value>,
    }
}

throttle_policy_dto! {
    /// `ApplicationThrottlePolicy`.
    ApplicationThrottlePolicyDto {
        #[serde(flatten)]
        other: Map<String, Value>,
    }
}

fn yes() -> bool {
    true
}

/// Fields of the wire object that nothing interprets but that come back as they were sent.
const KEPT: [&str; 7] = [
    "burstLimit",
    "customAttributes",
    "graphQLMaxComplexity",
    "graphQLMaxDepth",
    "monetization",
    "permissions",
    "subscriberCount",
];

fn kept(mut other: Map<String, Value>) -> Map<String, Value> {
    other.retain(|name, value| KEPT.contains(&name.as_str()) && !value.is_null());
    other
}

/// `Unlimited` is the only policy without a limit, whatever a client sends for it.
pub(super) fn limit(name: &str, dto: Option<ThrottleLimitDto>) -> Result<Option<Limit>, Failure> {
    if name == UNLIMITED {
        return Ok(None);
    }
    dto.ok_or_else(|| Failure::invalid("defaultLimit", "is missing"))?.into_limit().map(Some)
}

pub(super) fn limit_dto(limit: Option<&Limit>) -> Option<ThrottleLimitDto> {
    Some(limit.map_or_else(ThrottleLimitDto::unlimited, ThrottleLimitDto::from))
}

fn rate_limit(count: Option<i64>, unit: Option<&str>) -> Result<Option<RateLimit>, Failure> {
    let count = match count {
        None | Some(0 | -1) => return Ok(None),
        Some(count) => u64::try_from(count).map_err(|_| Failure::invalid("rateLimitCount", "must not be negative"))?,
    };
    let time_unit = unit
        .and_then(TimeUnit::parse)
        .filter(|unit| matches!(unit, TimeUnit::Sec | TimeUnit::Min))
        .ok_or_else(|| Failure::invalid("rateLimitTimeUnit", "must be sec or min"))?;
    Ok(Some(RateLimit { count, time_unit }))
}

pub(super) fn text(field: &str, text: String, chars_max: usize) -> Result<String, Failure> {
    if text.chars().count() > chars_max {
        return Err(Failure::invalid(field, format!("has more than {chars_max} characters")));
    }
    Ok(text)
}

fn billing_plan(plan: Option<String>) -> Result<String, Failure> {
    let plan = plan.unwrap_or_else(|| "FREE".to_owned());
    if ["FREE", "COMMERCIAL"].contains(&plan.as_str()) {
        Ok(plan)
    } else {
        Err(Failure::invalid("billingPlan", "must be FREE or COMMERCIAL"))
    }
}

impl PolicyDto for SubscriptionThrottlePolicyDto {
    type Policy = SubscriptionPolicy;
    const COLLECTION: &'static str = "subscription";
    const SUBTYPE: &'static str = "subscription policy";

    fn id(policy: &SubscriptionPolicy) -> PolicyId {
        policy.id
    }

    fn from_policy(policy: &SubscriptionPolicy) -> Self {
        of_policy!(policy, "SubscriptionThrottlePolicy", limit_dto(policy.limit.as_ref()), {
            rate_limit_count: Some(policy.rate_limit.map_or(0, |limit| i64::try_from(limit.count).unwrap_or(i64::MAX))),
            rate_limit_time_unit: policy.rate_limit.map(|limit| limit.time_unit.as_str().to_owned()),
            stop_on_quota_reach: policy.stop_on_quota_reach,
            billing_plan: Some(policy.billing_plan.clone()),
            other: policy.other.clone(),
        })
    }

    fn into_policy(self, organization: &Organization) -> Result<SubscriptionPolicy, Failure> {
        let (display_name, description) = self.texts()?;
        Ok(SubscriptionPolicy {
            id: PolicyId::random(),
            organization: organization.clone(),
            limit: limit(&self.policy_name, self.default_limit)?,
            rate_limit: rate_limit(self.rate_limit_count, self.rate_limit_time_unit.as_deref())?,
            stop_on_quota_reach: self.stop_on_quota_reach,
            billing_plan: billing_plan(self.billing_plan)?,
            display_name,
            description,
            name: self.policy_name,
            other: kept(self.other),
        })
    }
}

impl PolicyDto for ApplicationThrottlePolicyDto {
    type Policy = ApplicationPolicy;
    const COLLECTION: &'static str = "application";
    const SUBTYPE: &'static str = "application policy";

    fn id(policy: &ApplicationPolicy) -> PolicyId {
        policy.id
    }

    fn from_policy(policy: &ApplicationPolicy) -> Self {
        of_policy!(policy, "ApplicationThrottlePolicy", limit_dto(policy.limit.as_ref()), {
            other: policy.other.clone(),
        })
    }

    fn into_policy(self, organization: &Organization) -> Result<ApplicationPolicy, Failure> {
        let (display_name, description) = self.texts()?;
        Ok(ApplicationPolicy {
            id: PolicyId::random(),
            organization: organization.clone(),
            limit: limit(&self.policy_name, self.default_limit)?,
            display_name,
            description,
            name: self.policy_name,
            other: kept(self.other),
        })
    }
}
