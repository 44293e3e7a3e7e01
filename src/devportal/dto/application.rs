//! `Application`, `ApplicationInfo`.

use control_plane::applications::{ApplicationInput, ApplicationView};
use domain::application::TokenType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::api::ScopeInfoDto;

/// An application as clients send it; fields that only the server sets are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationInputDto {
    name: String,
    throttling_policy: String,
    description: Option<String>,
    token_type: Option<TokenType>,
    groups: Option<Vec<String>>,
    attributes: Option<Map<String, Value>>,
    visibility: Option<String>,
}

impl From<ApplicationInputDto> for ApplicationInput {
    fn from(dto: ApplicationInputDto) -> Self {
        Self {
            name: dto.name,
            throttling_policy: dto.throttling_policy,
            description: dto.description.unwrap_or_default(),
            token_type: dto.token_type.unwrap_or_default(),
            groups: dto.groups.unwrap_or_default(),
            attributes: dto.attributes.unwrap_or_default(),
            visibility: dto.visibility.unwrap_or_else(|| "PRIVATE".to_owned()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationDto {
    application_id: String,
    name: String,
    throttling_policy: String,
    description: String,
    token_type: TokenType,
    status: &'static str,
    groups: Vec<String>,
    subscription_count: i64,
    keys: Vec<KeySummaryDto>,
    attributes: Map<String, Value>,
    subscription_scopes: Vec<ScopeInfoDto>,
    owner: String,
    hash_enabled: bool,
    visibility: String,
}

/// The part of `ApplicationKey` that needs no question to the key manager.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeySummaryDto {
    key_mapping_id: String,
    key_manager: String,
    consumer_key: String,
    key_state: &'static str,
    key_type: &'static str,
    mode: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationInfoDto {
    application_id: String,
    name: String,
    throttling_policy: String,
    description: String,
    status: &'static str,
    groups: Vec<String>,
    subscription_count: i64,
    attributes: Map<String, Value>,
    owner: String,
}

impl From<&ApplicationView> for ApplicationDto {
    fn from(view: &ApplicationView) -> Self {
        let application = &view.application;
        let keys = view.key_mappings.iter().map(|mapping| KeySummaryDto {
            key_mapping_id: mapping.id.to_string(),
            key_manager: mapping.key_manager.clone(),
            consumer_key: mapping.consumer_key.clone(),
            key_state: "COMPLETED",
            key_type: mapping.key_type.as_str(),
            mode: mapping.mode.as_str(),
        });
        Self {
            application_id: application.id.to_string(),
            name: application.name.clone(),
            throttling_policy: application.throttling_policy.clone(),
            description: application.description.clone(),
            token_type: application.token_type,
            status: "APPROVED",
            groups: application.groups.clone(),
            subscription_count: view.subscription_count,
            keys: keys.collect(),
            attributes: application.attributes.clone(),
            subscription_scopes: view.subscription_scopes.iter().map(ScopeInfoDto::from).collect(),
            owner: application.owner.clone(),
            hash_enabled: false,
            visibility: application.visibility.clone(),
        }
    }
}

impl From<&ApplicationView> for ApplicationInfoDto {
    fn from(view: &ApplicationView) -> Self {
        let application = &view.application;
        Self {
            application_id: application.id.to_string(),
            name: application.name.clone(),
            throttling_policy: application.throttling_policy.clone(),
            description: application.description.clone(),
            status: "APPROVED",
            groups: application.groups.clone(),
            subscription_count: view.subscription_count,
            attributes: application.attributes.clone(),
            owner: application.owner.clone(),
        }
    }
}
