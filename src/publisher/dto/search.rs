//! `APISearchResult`.

use domain::api::Api;
use serde::Serialize;
use serde_json::{Value, json};

/// `status` here is `lifeCycleStatus` in lists.
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
    context_template: String,
    version: String,
    provider: String,
    status: &'static str,
    thumbnail_uri: &'static str,
    advertise_only: bool,
}

impl From<&Api> for ApiSearchResultDto {
    fn from(api: &Api) -> Self {
        Self {
            id: api.id.to_string(),
            name: api.name.as_str().to_owned(),
            kind: "API",
            transport_type: "HTTP",
            description: api.details.other.get("description").cloned().unwrap_or_else(|| json!("")),
            context: api.full_context(),
            context_template: api.context.as_str().to_owned(),
            version: api.version.as_str().to_owned(),
            provider: api.provider.clone(),
            status: api.state.as_str(),
            thumbnail_uri: "",
            advertise_only: false,
        }
    }
}
