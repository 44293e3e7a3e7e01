//! `APIInfo`.

use domain::api::Api;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiInfoDto {
    id: String,
    name: String,
    description: Value,
    context: String,
    additional_properties: Value,
    additional_properties_map: Value,
    version: String,
    provider: String,
    #[serde(rename = "type")]
    kind: &'static str,
    subtype: &'static str,
    audiences: Vec<String>,
    life_cycle_status: &'static str,
    has_thumbnail: bool,
    security_scheme: Vec<String>,
    created_time: String,
    updated_time: String,
    gateway_vendor: &'static str,
    advertise_only: bool,
}

impl From<&Api> for ApiInfoDto {
    fn from(api: &Api) -> Self {
        let other = |name: &str, default: Value| api.details.other.get(name).cloned().unwrap_or(default);
        Self {
            id: api.id.to_string(),
            name: api.name.as_str().to_owned(),
            description: other("description", Value::String(String::new())),
            context: api.qualified_context(),
            additional_properties: other("additionalProperties", Value::Array(Vec::new())),
            additional_properties_map: other("additionalPropertiesMap", Value::Object(Map::new())),
            version: api.version.as_str().to_owned(),
            provider: api.provider.clone(),
            kind: "HTTP",
            subtype: "DEFAULT",
            audiences: api.details.audiences.clone(),
            life_cycle_status: api.state.as_str(),
            has_thumbnail: false,
            security_scheme: api.details.security_schemes.clone(),
            created_time: api.created_at.as_millis().to_string(),
            updated_time: api.updated_at.as_millis().to_string(),
            gateway_vendor: "wso2",
            advertise_only: false,
        }
    }
}
