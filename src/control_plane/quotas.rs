//! What is left of a subscription's quota, as the traffic manager counts it.

use domain::contract::InspectError;
use domain::contract::throttle_inspector::{Count, KeyQuestion};
use domain::oauth::Principal;
use domain::throttling::Limit;
use domain::{Failure, SubscriptionId};
use store::apim::subscriptions;

use crate::throttle_keys::{CountedKey, of_subscription};
use crate::{ControlPlane, subscriptions as views};

/// When to ask again while the owner of the count cannot be asked.
const RETRY_AFTER_SECS: u64 = 2;

/// The quota of a subscription.
#[derive(Debug, Clone)]
pub struct SubscriptionQuota {
    pub subscription_id: SubscriptionId,
    /// Name of the subscription policy.
    pub policy: String,
    pub limit: Option<Limit>,
    /// Whether calls over the quota are refused.
    pub stops: bool,
    /// `None` when calls are not counted under the policy: it has no limit, or one of events.
    pub count: Option<Count>,
}

impl SubscriptionQuota {
    /// Units that one window admits, if that is limited: calls, or bytes of requests.
    #[must_use]
    pub fn units(&self) -> Option<u64> {
        self.limit.as_ref().and_then(Limit::counted_units)
    }
}

/// What to ask about a key; `None` when nothing is counted under it.
#[must_use]
pub fn question(counted: &CountedKey) -> Option<KeyQuestion> {
    let limit = counted.limit.as_ref()?;
    limit.counted_units()?;
    Some(KeyQuestion { key: counted.key.clone(), window: Some(limit.shape(counted.zone)) })
}

impl ControlPlane {
    /// What is left of the quota of one of the caller's subscriptions.
    ///
    /// # Errors
    /// 404 also for another user's subscription; 503 while nobody can tell.
    pub async fn subscription_quota(&self, caller: &Principal, id: &str) -> Result<SubscriptionQuota, Failure> {
        let id: SubscriptionId = id.parse().map_err(|_| views::not_found(id))?;
        let caller = caller.clone();
        let found = self.apim().read(move |conn| {
            let subscription = subscriptions::find_owned(conn, &caller.organization, &caller.username, id)?
                .ok_or_else(|| views::not_found(id))?;
            let view = views::views(conn, &caller.organization, vec![subscription])?.pop();
            let view = view.ok_or_else(|| views::not_found(id))?;
            of_subscription(conn, &view.subscription, &view.api)
        });
        let counted = found.await?;
        let count = match question(&counted) {
            Some(question) => Some(self.throttle_inspector().look(&question).await.map_err(unavailable)?.count),
            None => None,
        };
        let CountedKey { policy, limit, stops, .. } = counted;
        Ok(SubscriptionQuota { subscription_id: id, policy, limit, stops, count })
    }
}

fn unavailable(error: InspectError) -> Failure {
    tracing::warn!(error = &error as &dyn std::error::Error, "a quota cannot be told");
    let description = match error {
        InspectError::Unavailable(_) | InspectError::NotOwner(_) => {
            "The quota cannot be told, because no traffic manager answers that counts it; try again shortly"
        }
        InspectError::Unable(_) => {
            "The quota cannot be told, because the traffic manager that counts it has no database; try again shortly"
        }
        InspectError::Unsettled => {
            "The quota cannot be told, because it is moving to another traffic manager; try again shortly"
        }
    };
    Failure::Unavailable { description: description.to_owned(), retry_after_secs: RETRY_AFTER_SECS }
}
