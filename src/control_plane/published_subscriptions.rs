//! Subscriptions as publishers see and block them.

use domain::event::Event;
use domain::oauth::Principal;
use domain::subscription::SubscriptionState;
use domain::{Failure, error_code};
use store::apim::apis;
use store::apim::subscriptions::of_apis;

use crate::apis::{not_found as api_not_found, parse_id};
use crate::subscriptions::{SubscriptionPage, not_found, views};
use crate::{ControlPlane, Page};

impl ControlPlane {
    /// A page of the subscriptions to one API, or to any of the organization's.
    ///
    /// # Errors
    /// 404 for the API.
    pub async fn list_published_subscriptions(
        &self,
        caller: &Principal,
        api_id: Option<&str>,
        application_contains: Option<String>,
        page: Page,
    ) -> Result<SubscriptionPage, Failure> {
        let filter = of_apis::Filter { api_id: api_id.map(parse_id).transpose()?, application_contains };
        let organization = caller.organization.clone();
        self.apim()
            .read(move |conn| {
                if let Some(id) = filter.api_id {
                    apis::find(conn, &organization, id)?.ok_or_else(|| api_not_found(id))?;
                }
                let (found, total) = of_apis::list(conn, &organization, &filter, page)?;
                Ok(SubscriptionPage { subscriptions: views(conn, &organization, found)?, total })
            })
            .await
    }

    /// Blocks a subscription, or lets its calls through again; gateways hear of it at once.
    ///
    /// # Errors
    /// 404; 409 when the subscription waits for a decision that blocking would overrule.
    pub async fn set_subscription_state(
        &self,
        caller: &Principal,
        id: &str,
        state: SubscriptionState,
    ) -> Result<(), Failure> {
        let id = id.parse().map_err(|_| not_found(id))?;
        let (organization, now) = (caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                let mut subscription = of_apis::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let is_decided = matches!(
                    subscription.state,
                    SubscriptionState::Unblocked | SubscriptionState::Blocked | SubscriptionState::ProdOnlyBlocked
                );
                if !is_decided {
                    return Err(Failure::refused(
                        error_code::CONFLICT,
                        format!("subscriptionId: the subscription is {}", subscription.state.as_str()),
                    ));
                }
                subscription.state = state;
                of_apis::set_state(conn, id, state)?;
                conn.append(now, Event::SubscriptionUpdated(subscription));
                Ok(())
            })
            .await
    }
}
