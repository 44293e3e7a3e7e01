//! `Settings`.

use control_plane::Environment;
use control_plane::passwords::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use serde::Serialize;

/// Scopes that the portal asks for at sign-in; a user gets those that the roles allow.
const SCOPES: [&str; 7] = [
    "apim:admin",
    "apim:api_key",
    "apim:app_import_export",
    "apim:app_manage",
    "apim:store_settings",
    "apim:sub_manage",
    "apim:subscribe",
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsDto {
    grant_types: Vec<String>,
    scopes: Vec<&'static str>,
    application_sharing_enabled: bool,
    map_existing_auth_apps: bool,
    /// Base URLs of the gateway with commas between them.
    api_gateway_endpoint: String,
    monetization_enabled: bool,
    recommendation_enabled: bool,
    #[serde(rename = "IsUnlimitedTierPaid")]
    is_unlimited_tier_paid: bool,
    identity_provider: IdentityProviderDto,
    #[serde(rename = "IsAnonymousModeEnabled")]
    is_anonymous_mode_enabled: bool,
    #[serde(rename = "IsPasswordChangeEnabled")]
    is_password_change_enabled: bool,
    user_store_password_pattern: &'static str,
    password_policy_pattern: &'static str,
    password_policy_min_length: usize,
    password_policy_max_length: usize,
}

#[derive(Debug, Serialize)]
struct IdentityProviderDto {
    external: bool,
}

impl SettingsDto {
    pub fn new(environments: &[Environment], grant_types: Vec<String>) -> Self {
        let vhost = environments.first().and_then(|environment| environment.vhosts.first());
        let transports = ["http".to_owned(), "https".to_owned()];
        Self {
            grant_types,
            scopes: SCOPES.to_vec(),
            application_sharing_enabled: false,
            map_existing_auth_apps: true,
            api_gateway_endpoint: vhost.map(|vhost| vhost.urls("", &transports).join(",")).unwrap_or_default(),
            monetization_enabled: false,
            recommendation_enabled: false,
            is_unlimited_tier_paid: false,
            identity_provider: IdentityProviderDto { external: false },
            is_anonymous_mode_enabled: true,
            is_password_change_enabled: true,
            user_store_password_pattern: "",
            password_policy_pattern: "",
            password_policy_min_length: PASSWORD_CHARS_MIN,
            password_policy_max_length: PASSWORD_CHARS_MAX,
        }
    }
}
