//! `API` of the developer portal.

use control_plane::Environment;
use domain::api::{Api, ApiScope, Operation};
use serde::Serialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiDto {
    id: String,
    name: String,
    description: Value,
    context: String,
    version: String,
    provider: String,
    life_cycle_status: &'static str,
    is_default_version: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    transport: Vec<String>,
    operations: Vec<OperationDto>,
    authorization_header: String,
    security_scheme: Vec<String>,
    tags: Value,
    tiers: Vec<TierDto>,
    has_thumbnail: bool,
    additional_properties: Value,
    #[serde(rename = "endpointURLs")]
    endpoint_urls: Vec<Value>,
    business_information: Value,
    environment_list: Vec<String>,
    scopes: Vec<ScopeInfoDto>,
    avg_rating: &'static str,
    is_subscription_available: bool,
    categories: Value,
    key_managers: Value,
    created_time: String,
    last_updated_time: String,
    gateway_vendor: &'static str,
}

#[derive(Debug, Serialize)]
struct OperationDto {
    id: String,
    target: String,
    verb: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TierDto {
    tier_name: String,
    tier_plan: &'static str,
}

/// `ScopeInfo`.
#[derive(Debug, Serialize)]
pub struct ScopeInfoDto {
    key: String,
    name: String,
    roles: Vec<String>,
    description: String,
}

impl From<&ApiScope> for ScopeInfoDto {
    fn from(scope: &ApiScope) -> Self {
        Self {
            key: scope.name.clone(),
            name: scope.display_name.clone(),
            roles: scope.roles.clone(),
            description: scope.description.clone(),
        }
    }
}

impl From<&Operation> for OperationDto {
    fn from(operation: &Operation) -> Self {
        Self { id: String::new(), target: operation.target.clone(), verb: operation.verb.clone() }
    }
}

/// Base URLs of `api` at the environment's gateways, https first.
pub fn gateway_urls(api: &Api, environment: &Environment) -> Vec<String> {
    let context = api.full_context();
    environment.vhosts.iter().flat_map(|vhost| vhost.urls(&context, &api.details.transports)).collect()
}

impl ApiDto {
    pub fn new(api: &Api, environments: &[Environment]) -> Self {
        let details = &api.details;
        let other = |name: &str, default: Value| details.other.get(name).cloned().unwrap_or(default);
        Self {
            id: api.id.to_string(),
            name: api.name.as_str().to_owned(),
            description: other("description", json!("")),
            context: api.full_context(),
            version: api.version.as_str().to_owned(),
            provider: api.provider.clone(),
            life_cycle_status: api.state.as_str(),
            is_default_version: api.is_default_version,
            kind: "HTTP",
            transport: details.transports.clone(),
            operations: details.operations.iter().map(OperationDto::from).collect(),
            authorization_header: details.authorization_header.clone().unwrap_or_else(|| "Authorization".to_owned()),
            security_scheme: details.security_schemes.clone(),
            tags: other("tags", json!([])),
            tiers: details.policies.iter().map(|name| TierDto { tier_name: name.clone(), tier_plan: "FREE" }).collect(),
            has_thumbnail: false,
            additional_properties: other("additionalProperties", json!([])),
            endpoint_urls: environments.iter().map(|environment| endpoint_urls(api, environment)).collect(),
            business_information: other("businessInformation", json!({})),
            environment_list: environments.iter().map(|environment| environment.name.clone()).collect(),
            scopes: details.scopes.iter().map(ScopeInfoDto::from).collect(),
            avg_rating: "0.0",
            is_subscription_available: api.state.takes_subscriptions() && !details.policies.is_empty(),
            categories: other("categories", json!([])),
            key_managers: other("keyManagers", json!(["all"])),
            created_time: api.created_at.as_millis().to_string(),
            last_updated_time: api.updated_at.as_millis().to_string(),
            gateway_vendor: "wso2",
        }
    }
}

fn endpoint_urls(api: &Api, environment: &Environment) -> Value {
    let by_scheme = |context: &str| {
        let urls: Vec<String> =
            environment.vhosts.iter().take(1).flat_map(|vhost| vhost.urls(context, &api.details.transports)).collect();
        urls.into_iter()
            .filter_map(|url| Some((url.split_once(':')?.0.to_owned(), Value::String(url))))
            .collect::<Map<String, Value>>()
    };
    let default_version = if api.is_default_version { by_scheme(&api.default_context()) } else { Map::new() };
    json!({
        "environmentName": environment.name,
        "environmentDisplayName": environment.display_name,
        "environmentType": environment.kind,
        "URLs": by_scheme(&api.full_context()),
        "defaultVersionURLs": default_version,
    })
}
