//! `API`.

use domain::ApiId;
use domain::api::{Api, AuthType, Operation};
use serde::Serialize;

/// The type of every API that is served.
const HTTP: &str = "HTTP";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiDto {
    uuid: ApiId,
    api_id: u32,
    provider: String,
    name: String,
    version: String,
    /// With the version, as gateways match it.
    context: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    api_type: &'static str,
    status: &'static str,
    is_default_version: bool,
    url_mappings: Vec<UrlMappingDto>,
}

/// `URLMapping`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UrlMappingDto {
    auth_scheme: AuthType,
    throttling_policy: String,
    http_method: String,
    url_pattern: String,
    scopes: Vec<String>,
}

impl From<Api> for ApiDto {
    fn from(api: Api) -> Self {
        Self {
            uuid: api.id,
            api_id: api.id.number(),
            context: api.full_context(),
            policy: api.details.api_policy().map(str::to_owned),
            api_type: HTTP,
            status: api.state.as_str(),
            is_default_version: api.is_default_version,
            name: api.name.as_str().to_owned(),
            version: api.version.as_str().to_owned(),
            provider: api.provider,
            url_mappings: api.details.operations.into_iter().map(UrlMappingDto::from).collect(),
        }
    }
}

impl From<Operation> for UrlMappingDto {
    fn from(operation: Operation) -> Self {
        Self {
            auth_scheme: operation.auth,
            throttling_policy: operation.throttling_policy,
            http_method: operation.verb,
            url_pattern: operation.target,
            scopes: operation.scopes,
        }
    }
}
