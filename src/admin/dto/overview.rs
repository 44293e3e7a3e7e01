//! `ThrottlePolicyDetails`, `ApplicationInfo`, `Environment`, `Settings`, `TenantInfo`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use control_plane::policies::PolicyOverview;
use control_plane::{Environment, Vhost};
use domain::Failure;
use domain::application::Application;
use domain::scope::rest_api;
use domain::user::qualified_name;
use serde::Serialize;

/// `ThrottlePolicyDetails`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottlePolicyDetailsDto {
    /// A number is expected here and means nothing: policies are known by `uuid`.
    policy_id: u32,
    uuid: String,
    policy_name: String,
    display_name: String,
    description: String,
    is_deployed: bool,
    #[serde(rename = "type")]
    kind: String,
}

impl From<(usize, PolicyOverview)> for ThrottlePolicyDetailsDto {
    fn from((index, policy): (usize, PolicyOverview)) -> Self {
        Self {
            policy_id: u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1),
            uuid: policy.id.to_string(),
            policy_name: policy.name,
            display_name: policy.display_name,
            description: policy.description,
            is_deployed: true,
            kind: format!("{} policy", policy.kind),
        }
    }
}

/// `ApplicationInfo`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationInfoDto {
    application_id: String,
    name: String,
    owner: String,
    status: &'static str,
    group_id: String,
}

impl From<&Application> for ApplicationInfoDto {
    fn from(application: &Application) -> Self {
        Self {
            application_id: application.id.to_string(),
            name: application.name.clone(),
            owner: qualified_name(&application.owner, &application.organization),
            status: "APPROVED",
            group_id: application.groups.join(","),
        }
    }
}

/// `Environment`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentDto {
    id: String,
    name: String,
    display_name: String,
    description: &'static str,
    provider: &'static str,
    gateway_type: &'static str,
    #[serde(rename = "type")]
    kind: String,
    is_read_only: bool,
    vhosts: Vec<VhostDto>,
    #[serde(rename = "endpointURIs")]
    endpoint_uris: Vec<String>,
    additional_properties: Vec<String>,
    permissions: PermissionsDto,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PermissionsDto {
    permission_type: &'static str,
    roles: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VhostDto {
    host: String,
    http_context: &'static str,
    http_port: u16,
    https_port: u16,
    ws_port: u16,
    wss_port: u16,
}

impl From<&Environment> for EnvironmentDto {
    fn from(environment: &Environment) -> Self {
        Self {
            id: environment.name.clone(),
            name: environment.name.clone(),
            display_name: environment.display_name.clone(),
            description: "Gateways of the configuration",
            provider: "wso2",
            gateway_type: "Regular",
            kind: environment.kind.clone(),
            // Environments come from the configuration of gateways.
            is_read_only: true,
            vhosts: environment.vhosts.iter().map(VhostDto::from).collect(),
            endpoint_uris: Vec::new(),
            additional_properties: Vec::new(),
            permissions: PermissionsDto { permission_type: "PUBLIC", roles: Vec::new() },
        }
    }
}

impl From<&Vhost> for VhostDto {
    fn from(vhost: &Vhost) -> Self {
        Self {
            host: vhost.host.clone(),
            http_context: "",
            http_port: vhost.http_port,
            https_port: vhost.https_port,
            ws_port: vhost.ws_port,
            wss_port: vhost.wss_port,
        }
    }
}

/// `Settings`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsDto {
    scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gateway_types: Vec<&'static str>,
    key_manager_configuration: Vec<String>,
    analytics_enabled: bool,
}

impl SettingsDto {
    /// What a portal needs before sign-in: the scopes to ask for.
    pub fn anonymous() -> Self {
        Self {
            scopes: rest_api::all().collect(),
            gateway_types: Vec::new(),
            key_manager_configuration: Vec::new(),
            analytics_enabled: false,
        }
    }

    pub fn whole() -> Self {
        Self { gateway_types: vec!["Regular"], ..Self::anonymous() }
    }
}

/// `TenantInfo`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantInfoDto {
    pub username: String,
    pub tenant_domain: String,
    pub tenant_id: i64,
}

/// A name in base64, of either alphabet and with or without padding.
///
/// # Errors
/// 400 naming the field.
pub fn decoded_username(encoded: &str) -> Result<String, Failure> {
    let bytes = STANDARD.decode(encoded).or_else(|_| URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')));
    let name = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Failure::invalid("username", "must be a name in base64"))
}
