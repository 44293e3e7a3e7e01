//! Changing the tier of a subscription.

use domain::event::Event;
use domain::oauth::Principal;
use domain::subscription::{Subscription, SubscriptionState};
use domain::{Failure, error_code};
use store::apim::{apis, subscriptions};

use super::{SubscriptionView, check_offered, not_found, view};
use crate::ControlPlane;
use crate::apis::not_found as api_not_found;
use crate::policies::check_permitted;

/// What a subscriber may change; the ends of a subscription never do.
#[derive(Debug, Clone)]
pub struct SubscriptionChange {
    pub throttling_policy: String,
    /// The policy wished when the other one still tells the present one.
    pub requested_throttling_policy: Option<String>,
    /// Must be the subscription's own when given.
    pub api_id: Option<String>,
    pub application_id: Option<String>,
}

impl ControlPlane {
    /// Gives the subscription another of the policies that the API offers. Its state is not the subscriber's to change.
    ///
    /// # Errors
    /// 404; 400 naming the field; 400/900305 for a policy that the API does not offer; 409 in a state that waits for
    /// somebody's decision.
    pub async fn update_subscription(
        &self,
        caller: &Principal,
        id: &str,
        change: SubscriptionChange,
    ) -> Result<SubscriptionView, Failure> {
        let id = id.parse().map_err(|_| not_found(id))?;
        let (caller, now, unlimited) = (caller.clone(), self.now(), self.unlimited_tier());
        self.apim()
            .write(move |conn| {
                let (organization, owner) = (&caller.organization, &caller.username);
                let stored = subscriptions::find_owned(conn, organization, owner, id)?.ok_or_else(|| not_found(id))?;
                check_ends(&stored, &change)?;
                let policy = wished_policy(&stored, &change).to_owned();
                let api = apis::find(conn, organization, stored.api_id)?.ok_or_else(|| api_not_found(stored.api_id))?;
                if policy != stored.throttling_policy {
                    unlimited.check("throttlingPolicy", &policy)?;
                }
                check_offered(&api, &policy)?;
                check_permitted(conn, &caller, &policy)?;
                subscriptions::set_throttling_policy(conn, id, &policy)?;
                // Read again: the update waited for whoever changed the row at the same time.
                let changed = subscriptions::find_owned(conn, organization, owner, id)?.ok_or_else(|| not_found(id))?;
                check_changeable(&changed)?;
                conn.append(now, Event::SubscriptionUpdated(changed.clone()));
                view(conn, organization, changed)
            })
            .await
    }
}

/// The policy that the caller wants to end up with, whichever of the two fields says it.
fn wished_policy<'a>(stored: &Subscription, change: &'a SubscriptionChange) -> &'a str {
    match change.requested_throttling_policy.as_deref() {
        Some(requested) if !requested.is_empty() && requested != stored.throttling_policy => requested,
        _ => &change.throttling_policy,
    }
}

fn check_ends(stored: &Subscription, change: &SubscriptionChange) -> Result<(), Failure> {
    let is_other = |given: &Option<String>, own: String| {
        given.as_ref().is_some_and(|given| !given.is_empty() && !given.eq_ignore_ascii_case(&own))
    };
    if is_other(&change.api_id, stored.api_id.to_string()) {
        return Err(Failure::invalid("apiId", "cannot be changed"));
    }
    if is_other(&change.application_id, stored.application_id.to_string()) {
        return Err(Failure::invalid("applicationId", "cannot be changed"));
    }
    Ok(())
}

fn check_changeable(subscription: &Subscription) -> Result<(), Failure> {
    use SubscriptionState::{Blocked, ProdOnlyBlocked, Unblocked};
    match subscription.state {
        Unblocked | Blocked | ProdOnlyBlocked => Ok(()),
        waiting => Err(Failure::refused(
            error_code::CONFLICT,
            format!("status: a subscription in state {} cannot be changed", waiting.as_str()),
        )),
    }
}
