//! Subscriptions of the caller's applications.

mod change;

pub use change::SubscriptionChange;

use domain::api::Api;
use domain::application::Application;
use domain::event::Event;
use domain::oauth::Principal;
use domain::subscription::{Subscription, SubscriptionState};
use domain::{Failure, Organization, SubscriptionId, Timestamp, error_code};
use store::apim::{apis, applications, subscriptions};
use store::{ApimConn, StoreError};

use crate::apis::{is_visible, not_found as api_not_found, parse_id as parse_api_id};
use crate::applications::{find_owned, parse_id as parse_application_id};
use crate::policies::check_permitted;
use crate::{ControlPlane, Page};

/// A subscription with both its ends.
#[derive(Debug, Clone)]
pub struct SubscriptionView {
    pub subscription: Subscription,
    pub api: Api,
    pub application: Application,
}

/// What a subscription asks for.
#[derive(Debug, Clone)]
pub struct SubscriptionWish {
    pub api_id: String,
    pub application_id: String,
    /// Name of a subscription policy that the API offers.
    pub throttling_policy: String,
}

/// Most subscriptions that one call makes.
const WISHES_MAX: usize = 100;

/// One page, and how many there are in all.
#[derive(Debug, Clone)]
pub struct SubscriptionPage {
    pub subscriptions: Vec<SubscriptionView>,
    pub total: i64,
}

pub(crate) fn not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no subscription with the id '{id}'"))
}

fn exists(api: &Api, application: &Application) -> Failure {
    Failure::refused(
        error_code::CONFLICT,
        format!("the application '{}' is already subscribed to '{}'", application.name, api.name.as_str()),
    )
}

impl ControlPlane {
    /// Subscribes one of the caller's applications to a published API.
    ///
    /// # Errors
    /// 404 for the application or the API; 400/900305 for a policy that the API does not offer; 403 when the API's state
    /// takes no subscriptions; 409 when there is one.
    pub async fn create_subscription(
        &self,
        caller: &Principal,
        wish: SubscriptionWish,
    ) -> Result<SubscriptionView, Failure> {
        self.unlimited_tier().check("throttlingPolicy", &wish.throttling_policy)?;
        let (caller, now) = (caller.clone(), self.now());
        self.apim().write(move |conn| subscribe(conn, &caller, &wish, now)).await
    }

    /// Makes all of the subscriptions or none.
    ///
    /// # Errors
    /// As [`Self::create_subscription`], with the place of the wish that was refused.
    pub async fn create_subscriptions(
        &self,
        caller: &Principal,
        wishes: Vec<SubscriptionWish>,
    ) -> Result<Vec<SubscriptionView>, Failure> {
        if wishes.is_empty() || wishes.len() > WISHES_MAX {
            return Err(Failure::invalid("subscriptions", format!("must be 1 to {WISHES_MAX}")));
        }
        for (index, wish) in wishes.iter().enumerate() {
            let checked = self.unlimited_tier().check("throttlingPolicy", &wish.throttling_policy);
            checked.map_err(|error| at(index, error))?;
        }
        let (caller, now) = (caller.clone(), self.now());
        self.apim()
            .write(move |conn| {
                let made = wishes.iter().enumerate();
                made.map(|(index, wish)| subscribe(conn, &caller, wish, now).map_err(|error| at(index, error)))
                    .collect()
            })
            .await
    }

    /// # Errors
    /// 404 also for another user's subscription.
    pub async fn get_subscription(&self, caller: &Principal, id: &str) -> Result<SubscriptionView, Failure> {
        let id = id.parse().map_err(|_| not_found(id))?;
        let caller = caller.clone();
        self.apim()
            .read(move |conn| {
                let subscription = subscriptions::find_owned(conn, &caller.organization, &caller.username, id)?
                    .ok_or_else(|| not_found(id))?;
                view(conn, &caller.organization, subscription)
            })
            .await
    }

    /// A page of the subscriptions of one application or to one API, oldest first.
    ///
    /// # Errors
    /// 400 when neither is named; 404 for an application that is not the caller's.
    pub async fn list_subscriptions(
        &self,
        caller: &Principal,
        api_id: Option<&str>,
        application_id: Option<&str>,
        page: Page,
    ) -> Result<SubscriptionPage, Failure> {
        let caller = caller.clone();
        let of = match (application_id, api_id) {
            (Some(id), _) => subscriptions::Of::Application(parse_application_id(id)?),
            (None, Some(id)) => subscriptions::Of::Api(parse_api_id(id)?),
            (None, None) => return Err(Failure::invalid("applicationId", "name an applicationId or an apiId")),
        };
        self.apim()
            .read(move |conn| {
                if let subscriptions::Of::Application(id) = of {
                    find_owned(conn, &caller.organization, &caller.username, id)?;
                }
                let (found, total) = subscriptions::list_owned(conn, &caller.organization, &caller.username, of, page)?;
                Ok(SubscriptionPage { subscriptions: views(conn, &caller.organization, found)?, total })
            })
            .await
    }

    /// # Errors
    /// 404.
    pub async fn delete_subscription(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let id = id.parse().map_err(|_| not_found(id))?;
        let (caller, now) = (caller.clone(), self.now());
        self.apim()
            .write(move |conn| {
                let subscription = subscriptions::find_owned(conn, &caller.organization, &caller.username, id)?
                    .ok_or_else(|| not_found(id))?;
                subscriptions::delete(conn, id)?;
                conn.append(
                    now,
                    Event::SubscriptionDeleted {
                        organization: caller.organization.clone(),
                        subscription_id: id,
                        api_id: subscription.api_id,
                        application_id: subscription.application_id,
                    },
                );
                Ok(())
            })
            .await
    }
}

fn check_subscribable(api: &Api, policy: &str) -> Result<(), Failure> {
    if !api.state.takes_subscriptions() {
        return Err(Failure::refused(
            error_code::FORBIDDEN,
            format!("apiId: an API in state {} takes no subscriptions", api.state.display_name()),
        ));
    }
    check_offered(api, policy)
}

fn check_offered(api: &Api, policy: &str) -> Result<(), Failure> {
    if !api.details.policies.iter().any(|offered| offered == policy) {
        return Err(Failure::refused(
            error_code::TIER_NOT_ALLOWED,
            format!(
                "throttlingPolicy: the API does not offer '{policy}'; it offers {}",
                api.details.policies.join(", ")
            ),
        ));
    }
    Ok(())
}

/// The failure with the place of the wish in the list.
fn at(index: usize, failure: Failure) -> Failure {
    match failure {
        Failure::Refused { code, description } => {
            Failure::Refused { code, description: format!("[{index}].{description}") }
        }
        other => other,
    }
}

pub(crate) fn subscribe(
    conn: &mut ApimConn,
    caller: &Principal,
    wish: &SubscriptionWish,
    now: Timestamp,
) -> Result<SubscriptionView, Failure> {
    let (api_id, application_id) = (parse_api_id(&wish.api_id)?, parse_application_id(&wish.application_id)?);
    let application = find_owned(conn, &caller.organization, &caller.username, application_id)?;
    let api = apis::find(conn, &caller.organization, api_id)?
        .filter(|api| is_visible(api, Some(caller)))
        .ok_or_else(|| api_not_found(api_id))?;
    check_subscribable(&api, &wish.throttling_policy)?;
    check_permitted(conn, caller, &wish.throttling_policy)?;
    let subscription = Subscription {
        id: SubscriptionId::random(),
        organization: caller.organization.clone(),
        api_id,
        application_id,
        throttling_policy: wish.throttling_policy.clone(),
        state: SubscriptionState::Unblocked,
        created_at: now,
    };
    if subscriptions::exists(conn, api_id, application_id)? {
        return Err(exists(&api, &application));
    }
    match subscriptions::insert(conn, &subscription) {
        Ok(()) => {}
        Err(StoreError::Conflict { .. }) => return Err(exists(&api, &application)),
        Err(other) => return Err(other.into()),
    }
    conn.append(now, Event::SubscriptionUpdated(subscription.clone()));
    Ok(SubscriptionView { subscription, api, application })
}

fn view(
    conn: &mut ApimConn,
    organization: &Organization,
    subscription: Subscription,
) -> Result<SubscriptionView, Failure> {
    let id = subscription.id;
    views(conn, organization, vec![subscription])?.pop().ok_or_else(|| not_found(id))
}

/// Adds both ends, each kind in one query.
pub(crate) fn views(
    conn: &mut ApimConn,
    organization: &Organization,
    found: Vec<Subscription>,
) -> Result<Vec<SubscriptionView>, Failure> {
    let apis = apis::find_many(conn, organization, found.iter().map(|own| own.api_id))?;
    let applications = applications::find_many(conn, organization, found.iter().map(|own| own.application_id))?;
    Ok(found
        .into_iter()
        .filter_map(|subscription| {
            Some(SubscriptionView {
                api: apis.get(&subscription.api_id)?.clone(),
                application: applications.get(&subscription.application_id)?.clone(),
                subscription,
            })
        })
        .collect())
}
