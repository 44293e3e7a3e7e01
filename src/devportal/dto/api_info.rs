//! `APIInfo` of the developer portal.

use domain::api::Api;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiInfoDto {
    id: String,
    name: String,
    description: Value,
    context: String,
    version: String,
    #[serde(rename = "type")]
    kind: &'static str,
    created_time: String,
    provider: String,
    life_cycle_status: &'static str,
    avg_rating: &'static str,
    throttling_policies: Vec<String>,
    business_information: Value,
    is_subscription_available: bool,
}

impl From<&Api> for ApiInfoDto {
    fn from(api: &Api) -> Self {
        let other = |name: &str, default: Value| api.details.other.get(name).cloned().unwrap_or(default);
        Self {
            id: api.id.to_string(),
            name: api.name.as_str().to_owned(),
            description: other("description", json!("")),
            context: api.full_context(),
            version: api.version.as_str().to_owned(),
            kind: "HTTP",
            created_time: api.created_at.as_millis().to_string(),
            provider: api.provider.clone(),
            life_cycle_status: api.state.as_str(),
            avg_rating: "0.0",
            throttling_policies: api.details.policies.clone(),
            business_information: other("businessInformation", json!({})),
            is_subscription_available: api.state.takes_subscriptions() && !api.details.policies.is_empty(),
        }
    }
}
