//! `Subscription` of the developer portal.

use control_plane::applications::ApplicationView;
use control_plane::subscriptions::SubscriptionView;
use serde::{Deserialize, Serialize};

use super::api_info::ApiInfoDto;
use super::application::ApplicationInfoDto;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionInputDto {
    pub api_id: String,
    pub application_id: String,
    pub throttling_policy: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionDto {
    subscription_id: String,
    application_id: String,
    api_id: String,
    api_info: ApiInfoDto,
    application_info: ApplicationInfoDto,
    throttling_policy: String,
    requested_throttling_policy: String,
    status: &'static str,
}

impl From<&SubscriptionView> for SubscriptionDto {
    fn from(view: &SubscriptionView) -> Self {
        let application =
            ApplicationView { application: view.application.clone(), subscription_count: 0, key_mappings: Vec::new() };
        Self {
            subscription_id: view.subscription.id.to_string(),
            application_id: view.subscription.application_id.to_string(),
            api_id: view.subscription.api_id.to_string(),
            api_info: ApiInfoDto::from(&view.api),
            application_info: ApplicationInfoDto::from(&application),
            throttling_policy: view.subscription.throttling_policy.clone(),
            requested_throttling_policy: view.subscription.throttling_policy.clone(),
            status: view.subscription.state.as_str(),
        }
    }
}
