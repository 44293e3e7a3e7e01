//! `KeyManagerInfo`, `KeyManagerApplicationConfiguration`.

use domain::application::{RESIDENT_KEY_MANAGER, RESIDENT_KEY_MANAGER_ID};
use domain::oauth::KeyManagerInfo;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyManagerInfoDto {
    id: &'static str,
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    display_name: &'static str,
    description: &'static str,
    enabled: bool,
    available_grant_types: Vec<String>,
    token_endpoint: String,
    revoke_endpoint: String,
    user_info_endpoint: String,
    enable_token_generation: bool,
    enable_token_encryption: bool,
    enable_token_hashing: bool,
    #[serde(rename = "enableOAuthAppCreation")]
    enable_oauth_app_creation: bool,
    #[serde(rename = "enableMapOAuthConsumerApps")]
    enable_map_oauth_consumer_apps: bool,
    application_configuration: Vec<ApplicationConfigurationDto>,
    alias: String,
    additional_properties: Map<String, Value>,
    token_type: &'static str,
}

/// A property that key generation takes.
#[derive(Debug, Serialize)]
struct ApplicationConfigurationDto {
    name: &'static str,
    label: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    mask: bool,
    multiple: bool,
    tooltip: &'static str,
    values: Vec<Value>,
}

impl ApplicationConfigurationDto {
    fn lifetime(name: &'static str, label: &'static str, tooltip: &'static str) -> Self {
        Self { name, label, kind: "input", required: false, mask: false, multiple: false, tooltip, values: Vec::new() }
    }
}

impl KeyManagerInfoDto {
    pub fn resident(info: &KeyManagerInfo) -> Self {
        Self {
            id: RESIDENT_KEY_MANAGER_ID,
            name: RESIDENT_KEY_MANAGER,
            kind: "default",
            display_name: RESIDENT_KEY_MANAGER,
            description: "The key manager that is built in",
            enabled: true,
            available_grant_types: info.grant_types.clone(),
            token_endpoint: info.token_endpoint.clone(),
            revoke_endpoint: info.revoke_endpoint.clone(),
            user_info_endpoint: info.user_info_endpoint.clone().unwrap_or_default(),
            enable_token_generation: true,
            enable_token_encryption: false,
            enable_token_hashing: false,
            enable_oauth_app_creation: true,
            enable_map_oauth_consumer_apps: true,
            application_configuration: vec![
                ApplicationConfigurationDto::lifetime(
                    "application_access_token_expiry_time",
                    "Application access token expiry time",
                    "Seconds that a token lives with which the application speaks for itself",
                ),
                ApplicationConfigurationDto::lifetime(
                    "user_access_token_expiry_time",
                    "User access token expiry time",
                    "Seconds that a token lives with which the application speaks for a user",
                ),
                ApplicationConfigurationDto::lifetime(
                    "refresh_token_expiry_time",
                    "Refresh token expiry time",
                    "Seconds that a refresh token lives",
                ),
            ],
            alias: info.issuer.clone(),
            additional_properties: Map::new(),
            token_type: "DIRECT",
        }
    }
}
