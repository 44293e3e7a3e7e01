//! `Subscription` of the publisher.

use control_plane::subscriptions::SubscriptionView;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionDto {
    subscription_id: String,
    application_info: ApplicationInfoDto,
    throttling_policy: String,
    subscription_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationInfoDto {
    application_id: String,
    name: String,
    subscriber: String,
    description: String,
}

impl From<&SubscriptionView> for SubscriptionDto {
    fn from(view: &SubscriptionView) -> Self {
        Self {
            subscription_id: view.subscription.id.to_string(),
            application_info: ApplicationInfoDto {
                application_id: view.application.id.to_string(),
                name: view.application.name.clone(),
                subscriber: view.application.owner.clone(),
                description: view.application.description.clone(),
            },
            throttling_policy: view.subscription.throttling_policy.clone(),
            subscription_status: view.subscription.state.as_str(),
        }
    }
}
