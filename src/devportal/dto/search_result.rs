//! `APISearchResult`.

use domain::api::Api;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiSearchResultDto {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    transport_type: &'static str,
    description: Value,
    context: String,
    version: String,
    provider: String,
    status: &'static str,
    business_information: Value,
    avg_rating: &'static str,
}

impl From<&Api> for ApiSearchResultDto {
    fn from(api: &Api) -> Self {
        let other = |name: &str, default: Value| api.details.other.get(name).cloned().unwrap_or(default);
        Self {
            id: api.id.to_string(),
            name: api.name.as_str().to_owned(),
            kind: "API",
            transport_type: "HTTP",
            description: other("description", json!("")),
            context: api.full_context(),
            version: api.version.as_str().to_owned(),
            provider: api.provider.clone(),
            status: api.state.as_str(),
            business_information: other("businessInformation", json!({})),
            avg_rating: "0.0",
        }
    }
}
