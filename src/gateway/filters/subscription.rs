//! Which application calls, and by what right.

use std::sync::Arc;

use domain::application::KeyType;
use domain::lifecycle::LifecycleState;
use domain::subscription::SubscriptionState;
use domain::throttling::policy::{DEFAULT_SUBSCRIPTIONLESS, UNAUTHENTICATED};

use super::authenticate::{Caller, VerifiedToken};
use crate::fault::Fault;
use crate::table::{ApiEntry, CompiledApi, Consumer, Live, SubscriptionTier};

/// A caller's right to call the API.
#[derive(Debug)]
pub struct Access {
    /// `None` for callers without a token and, with prototypes, for clients without an application.
    pub consumer: Option<Arc<Consumer>>,
    pub key_type: KeyType,
    pub plan: Plan,
}

/// What the calls count against.
#[derive(Debug, Clone)]
pub enum Plan {
    Subscribed(Arc<SubscriptionTier>),
    /// The API needs no subscription; the application counts.
    Subscriptionless,
    /// Nobody is known but the client's address.
    PerAddress,
    Unmetered,
}

impl Plan {
    /// Name of the subscription policy that limits the calls; `None` when nothing does.
    #[must_use]
    pub fn tier(&self) -> Option<&str> {
        match self {
            Self::Subscribed(own) => Some(&own.tier),
            Self::Subscriptionless => Some(DEFAULT_SUBSCRIPTIONLESS),
            Self::PerAddress => Some(UNAUTHENTICATED),
            Self::Unmetered => None,
        }
    }
}

/// Resolves the caller to an application and the application's subscription.
pub fn check(live: &Live, entry: &ApiEntry, caller: &Caller) -> Result<Access, Fault> {
    if matches!(caller, Caller::Publisher) {
        return Ok(Access::of_publisher(&entry.api));
    }
    if entry.state == LifecycleState::Created {
        // Not published yet: only its publisher may call.
        return Err(Fault::NotSubscribed);
    }
    let (organization, holder) = match caller {
        Caller::Anonymous | Caller::Publisher => return Ok(Access::per_address()),
        Caller::Token(token) => (&token.issuer.organization, find_consumer(live, token)),
        Caller::ApiKey(own) => {
            let application = live.consumers.find_application(own.key.application_id);
            (&own.key.organization, application.map(|consumer| (consumer, own.key.key_type)))
        }
    };
    let document = &entry.api.document;
    let is_prototype = entry.state == LifecycleState::Prototyped;
    let needs_subscription = document.needs_subscription && !is_prototype;
    let is_foreign = *organization != document.organization;
    if !needs_subscription && is_foreign {
        return Err(Fault::NotSubscribed);
    }
    let Some((consumer, key_type)) = holder else {
        return if is_prototype { Ok(Access::per_address()) } else { Err(Fault::NotSubscribed) };
    };
    let plan = if needs_subscription {
        let id = consumer.application.id;
        let tier = live.consumers.find_subscription(id, document.api_id).ok_or(Fault::NotSubscribed)?;
        check_state(tier.subscription.state, key_type)?;
        Plan::Subscribed(tier)
    } else {
        Plan::Subscriptionless
    };
    Ok(Access { consumer: Some(consumer), key_type, plan })
}

impl Access {
    fn per_address() -> Self {
        Self { consumer: None, key_type: KeyType::Production, plan: Plan::PerAddress }
    }

    /// Trying out costs nobody anything, and reaches the sandbox where there is nothing else.
    fn of_publisher(api: &CompiledApi) -> Self {
        let key_type = if api.production.is_some() { KeyType::Production } else { KeyType::Sandbox };
        Self { consumer: None, key_type, plan: Plan::Unmetered }
    }
}

fn find_consumer(live: &Live, token: &VerifiedToken) -> Option<(Arc<Consumer>, KeyType)> {
    let issuer = &token.issuer;
    let (application, key_type) =
        live.consumers.find_key_holder(&issuer.organization, &issuer.name, &token.claims.client_id)?;
    Some((live.consumers.find_application(application)?, key_type))
}

fn check_state(state: SubscriptionState, key_type: KeyType) -> Result<(), Fault> {
    match state {
        SubscriptionState::Unblocked | SubscriptionState::TierUpdatePending | SubscriptionState::DeletePending => {
            Ok(())
        }
        SubscriptionState::Blocked => Err(Fault::SubscriptionBlocked),
        SubscriptionState::ProdOnlyBlocked if key_type == KeyType::Production => Err(Fault::SubscriptionBlocked),
        SubscriptionState::ProdOnlyBlocked => Ok(()),
        SubscriptionState::OnHold | SubscriptionState::Rejected => Err(Fault::SubscriptionInactive),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_blocked_for_production_serves_the_sandbox() {
        assert_eq!(check_state(SubscriptionState::ProdOnlyBlocked, KeyType::Sandbox), Ok(()));
        let production = check_state(SubscriptionState::ProdOnlyBlocked, KeyType::Production);
        assert_eq!(production, Err(Fault::SubscriptionBlocked));
    }

    #[test]
    fn a_subscription_that_waits_for_approval_is_inactive() {
        for state in [SubscriptionState::OnHold, SubscriptionState::Rejected] {
            assert_eq!(check_state(state, KeyType::Production), Err(Fault::SubscriptionInactive));
        }
    }
}
