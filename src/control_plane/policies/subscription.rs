//! What holds for subscription policies beside the rules of all policies: spike arrest, numbers, and who may choose one.

use domain::event::Event;
use domain::oauth::Principal;
use domain::throttling::policy::{DEFAULT_SUBSCRIPTIONLESS, UNAUTHENTICATED, UNLIMITED};
use domain::throttling::{Limit, PolicyKind, SubscriptionPolicy};
use domain::{Failure, Organization, PolicyId, error_code};
use serde_json::Value;
use store::ApimConn;
use store::apim::policies;

use super::{QUOTA_MAX, ServedPolicy};
use crate::ControlPlane;

/// Fields that are whole numbers, not negative.
const NUMBERS: [&str; 3] = ["graphQLMaxComplexity", "graphQLMaxDepth", "subscriberCount"];
/// Most roles of a permission, and the longest name of one in characters.
const ROLES_MAX: usize = 100;
const ROLE_CHARS_MAX: usize = 255;

impl ServedPolicy for SubscriptionPolicy {
    fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    fn set_id(&mut self, id: PolicyId) {
        self.id = id;
    }

    const EVENT_KIND: PolicyKind = PolicyKind::Subscription;
    const USERS: &'static str = "subscriptions";
    const BUILT_IN: &'static [&'static str] = &[UNLIMITED, UNAUTHENTICATED, DEFAULT_SUBSCRIPTIONLESS];

    fn updated(self) -> Event {
        Event::SubscriptionPolicyUpdated(self)
    }

    fn check_more(&self) -> Result<(), Failure> {
        if self.rate_limit.is_some_and(|limit| limit.count > QUOTA_MAX) {
            return Err(Failure::invalid("rateLimitCount", format!("must be at most {QUOTA_MAX}")));
        }
        for name in NUMBERS {
            let number = self.other.get(name);
            if number.is_some_and(|number| number.as_u64().is_none_or(|number| number > i32::MAX as u64)) {
                return Err(Failure::invalid(name, format!("must be a whole number from 0 to {}", i32::MAX)));
            }
        }
        Permission::of(self).map(|_| ())
    }
}

/// WSO2's `SubscriptionThrottlePolicyPermission`.
#[derive(Debug, PartialEq, Eq)]
enum Permission<'a> {
    /// Whoever has one of the roles may choose the policy.
    Allow(Vec<&'a str>),
    /// Whoever has none of the roles may.
    Deny(Vec<&'a str>),
}

impl<'a> Permission<'a> {
    /// `None` permits everybody.
    fn of(policy: &'a SubscriptionPolicy) -> Result<Option<Self>, Failure> {
        let Some(value) = policy.other.get("permissions") else { return Ok(None) };
        let invalid = || {
            let reason = format!("must be a list of at most {ROLES_MAX} names of roles");
            Failure::invalid("permissions.roles", reason)
        };
        let roles = value.get("roles").and_then(Value::as_array).filter(|roles| roles.len() <= ROLES_MAX);
        let roles = roles.ok_or_else(invalid)?.iter().map(|role| {
            role.as_str().filter(|role| !role.is_empty() && role.chars().count() <= ROLE_CHARS_MAX).ok_or_else(invalid)
        });
        let roles = roles.collect::<Result<_, _>>()?;
        match value.get("permissionType").and_then(Value::as_str) {
            Some("ALLOW") => Ok(Some(Self::Allow(roles))),
            Some("DENY") => Ok(Some(Self::Deny(roles))),
            _ => Err(Failure::invalid("permissions.permissionType", "must be ALLOW or DENY")),
        }
    }

    fn permits(&self, roles: &[String]) -> bool {
        let has_one = |named: &[&str]| named.iter().any(|name| roles.iter().any(|own| own.eq_ignore_ascii_case(name)));
        match self {
            Self::Allow(named) => has_one(named),
            Self::Deny(named) => !has_one(named),
        }
    }
}

/// Whether somebody with these roles may choose the policy; nobody may when its permission cannot be read.
fn permits(policy: &SubscriptionPolicy, roles: &[String]) -> bool {
    Permission::of(policy).is_ok_and(|permission| permission.is_none_or(|permission| permission.permits(roles)))
}

/// # Errors
/// 403 when the policy is not for the caller's roles.
pub(crate) fn check_permitted(conn: &mut ApimConn, caller: &Principal, name: &str) -> Result<(), Failure> {
    match policies::find_by_name::<SubscriptionPolicy>(conn, &caller.organization, name)? {
        Some(policy) if !permits(&policy, &caller.roles) => Err(Failure::refused(
            error_code::FORBIDDEN,
            format!("throttlingPolicy: the policy '{name}' is not for your roles"),
        )),
        _ => Ok(()),
    }
}

fn is_streaming(policy: &SubscriptionPolicy) -> bool {
    policy.limit.as_ref().is_some_and(Limit::counts_events)
}

impl ControlPlane {
    /// The policies that an HTTP API can offer to its subscribers, by name: those for streaming count nothing of it.
    pub async fn list_business_plans(&self, organization: &Organization) -> Result<Vec<SubscriptionPolicy>, Failure> {
        let mut found = self.list_policies::<SubscriptionPolicy>(organization).await?;
        found.retain(|policy| policy.name != UNAUTHENTICATED && !is_streaming(policy));
        Ok(found)
    }

    /// The policies that a streaming API can offer, by name.
    pub async fn list_streaming_policies(
        &self,
        organization: &Organization,
    ) -> Result<Vec<SubscriptionPolicy>, Failure> {
        let mut found = self.list_policies::<SubscriptionPolicy>(organization).await?;
        found.retain(is_streaming);
        Ok(found)
    }

    /// The policies that somebody with these roles can choose for a subscription to an HTTP API, by name.
    pub async fn list_subscription_policies_for(
        &self,
        organization: &Organization,
        roles: &[String],
    ) -> Result<Vec<SubscriptionPolicy>, Failure> {
        let mut found = self.list_business_plans(organization).await?;
        found.retain(|policy| permits(policy, roles));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use domain::throttling::defaults;
    use serde_json::json;

    use super::*;

    fn with(permissions: Value) -> SubscriptionPolicy {
        let mut policy = defaults::subscription_policies(&Organization::super_tenant()).remove(0);
        policy.other.insert("permissions".to_owned(), permissions);
        policy
    }

    #[test]
    fn roles_decide_who_may_choose_a_policy() {
        let (gold, other) = (["Gold".to_owned()], ["Other".to_owned()]);
        let allow = with(json!({"permissionType": "ALLOW", "roles": ["gold"]}));
        assert!(permits(&allow, &gold) && !permits(&allow, &other) && !permits(&allow, &[]));
        let deny = with(json!({"permissionType": "DENY", "roles": ["gold"]}));
        assert!(!permits(&deny, &gold) && permits(&deny, &other) && permits(&deny, &[]));
    }

    #[test]
    fn permissions_of_another_shape_are_refused_and_permit_nobody() {
        for wrong in [json!(7), json!({"permissionType": "ALLOW"}), json!({"permissionType": "X", "roles": []})] {
            let policy = with(wrong);
            assert!(policy.check_more().is_err() && !permits(&policy, &[]));
        }
    }
}
