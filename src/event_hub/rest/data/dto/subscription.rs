//! `Subscription`.

use domain::subscription::{Subscription, SubscriptionState};
use domain::{ApiId, ApplicationId, SubscriptionId};
use serde::Serialize;

/// The UUIDs are not of the schema: numbers may be shared, ids are not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionDto {
    subscription_id: u32,
    #[serde(rename = "subscriptionUUID")]
    subscription_uuid: SubscriptionId,
    /// Name of the subscription policy.
    policy_id: String,
    api_id: u32,
    #[serde(rename = "apiUUID")]
    api_uuid: ApiId,
    app_id: u32,
    #[serde(rename = "applicationUUID")]
    application_uuid: ApplicationId,
    subscription_state: SubscriptionState,
}

impl From<&Subscription> for SubscriptionDto {
    fn from(subscription: &Subscription) -> Self {
        Self {
            subscription_id: subscription.id.number(),
            subscription_uuid: subscription.id,
            policy_id: subscription.throttling_policy.clone(),
            api_id: subscription.api_id.number(),
            api_uuid: subscription.api_id,
            app_id: subscription.application_id.number(),
            application_uuid: subscription.application_id,
            subscription_state: subscription.state,
        }
    }
}
