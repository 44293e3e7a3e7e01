//! Quotas: the subscription's first, then the application's per user. A call that a later level refuses gives back
//! what it took from an earlier one, so refused calls count nowhere.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::error_code::{APPLICATION_LIMIT_EXCEEDED, ErrorCode, SUBSCRIPTION_LIMIT_EXCEEDED};
use domain::runtime::GatewayApi;
use domain::throttling::policy::{DEFAULT_SUBSCRIPTIONLESS, UNAUTHENTICATED};
use security::jwt::AuthorizedUserType;

use super::authenticate::Caller;
use super::subscription::{Access, Plan};
use crate::fault::Fault;
use crate::lease::{LeaseBook, ThrottleKey, Unit, Verdict};
use crate::rate_limit::{RateLimit, RateLimits};
use crate::table::{Consumer, Live, RequestQuota, Tier};

/// The quotas of one call, in the order in which they are asked.
#[derive(Debug, Default)]
pub struct Quotas([Option<Quota>; 2]);

#[derive(Debug)]
struct Quota {
    key: ThrottleKey,
    quota: RequestQuota,
    /// What a refusal says.
    code: ErrorCode,
    /// What callers know the quota by.
    name: &'static str,
}

impl Quotas {
    /// Looks up which quotas count for a call.
    pub fn find(
        live: &Live,
        api: &GatewayApi,
        access: &Access,
        caller: &Caller,
        client: IpAddr,
    ) -> Result<Self, Fault> {
        let subscription = subscription_quota(live, api, access, client)?;
        let application = match &access.consumer {
            Some(consumer) => application_quota(live, consumer, caller)?,
            None => None,
        };
        Ok(Self([subscription, application]))
    }

    /// Takes a unit of each quota and notes what is left. Refused or cancelled, all that was taken goes back.
    pub async fn take(
        &self,
        book: &LeaseBook,
        api: &GatewayApi,
        now: Timestamp,
        limits: &mut RateLimits,
    ) -> Result<(), Fault> {
        let mut taken: [Option<Unit>; 2] = [None, None];
        for (own, slot) in self.0.iter().zip(taken.iter_mut()) {
            let Some(own) = own else { continue };
            match book.take(&own.key, api, own.quota).await {
                Ok(Verdict::Taken(unit)) => {
                    let (remaining, resets_in) = unit.outlook();
                    limits.note(own.after(remaining, resets_in));
                    *slot = Some(unit);
                }
                Ok(Verdict::Exhausted { retry_in }) => {
                    limits.note(own.after(0, retry_in));
                    if own.quota.stops {
                        return Err(Fault::Throttled { code: own.code, now, retry_in });
                    }
                }
                Err(_) if !own.quota.stops => {}
                Err(error) => {
                    tracing::warn!(api.id = %api.api_id, %error, "a call is refused because its quota cannot be checked");
                    return Err(Fault::ThrottleUnavailable);
                }
            }
        }
        taken.into_iter().flatten().for_each(Unit::spend);
        Ok(())
    }
}

impl Quota {
    fn after(&self, remaining: u64, resets_in: Duration) -> RateLimit {
        RateLimit { name: self.name, quota: self.quota, remaining, resets_in }
    }
}

fn subscription_quota(live: &Live, api: &GatewayApi, access: &Access, client: IpAddr) -> Result<Option<Quota>, Fault> {
    let api_id = api.api_id;
    let (name, key) = match (&access.plan, &access.consumer) {
        (Plan::Unmetered, _) => return Ok(None),
        (Plan::Subscribed(own), _) => {
            let (application, tier) = (own.subscription.application_id, Arc::clone(&own.tier));
            (&*own.tier, ThrottleKey::Subscription { application, api: api_id, tier })
        }
        (Plan::Subscriptionless, Some(consumer)) => {
            let key = ThrottleKey::Subscriptionless { application: consumer.application.id, api: api_id };
            (DEFAULT_SUBSCRIPTIONLESS, key)
        }
        (Plan::Subscriptionless, None) | (Plan::PerAddress, _) => {
            (UNAUTHENTICATED, ThrottleKey::Anonymous { address: client, api: api_id })
        }
    };
    let tier = live.consumers.subscription_tier(&api.organization, name);
    quota(tier, name, key, (SUBSCRIPTION_LIMIT_EXCEEDED, "subscription"))
}

/// Counted per user within the application; tokens of the application itself count for its owner.
fn application_quota(live: &Live, consumer: &Consumer, caller: &Caller) -> Result<Option<Quota>, Fault> {
    let user = match caller {
        Caller::Token(token) if token.claims.aut == AuthorizedUserType::ApplicationUser => Arc::clone(&token.subject),
        Caller::ApiKey(own) => Arc::clone(&own.user),
        _ => Arc::clone(&consumer.owner),
    };
    let tier = live.consumers.application_tier(&consumer.application.organization, &consumer.tier);
    let key = ThrottleKey::Application { application: consumer.application.id, user };
    quota(tier, &consumer.tier, key, (APPLICATION_LIMIT_EXCEEDED, "application"))
}

fn quota(
    tier: Tier,
    policy: &str,
    key: ThrottleKey,
    (code, name): (ErrorCode, &'static str),
) -> Result<Option<Quota>, Fault> {
    match tier {
        Tier::Unlimited => Ok(None),
        Tier::Requests(quota) => Ok(Some(Quota { key, quota, code, name })),
        Tier::Unknown => {
            tracing::warn!(policy.name = policy, "a call is refused because its policy is not known");
            Err(Fault::ThrottleUnavailable)
        }
    }
}
