//! `Settings`, `Environment`, `VHost`.

use control_plane::{Environment, Vhost};
use domain::scope::rest_api;
use domain::throttling::policy::UNLIMITED;
use serde::Serialize;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsDto {
    scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    environment: Vec<EnvironmentDto>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gateway_types: Vec<&'static str>,
    monetization_attributes: Vec<String>,
    external_stores_enabled: bool,
    doc_visibility_enabled: bool,
    cross_tenant_subscription_enabled: bool,
    default_advance_policy: String,
    default_subscription_policy: String,
    authorization_header: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentDto {
    id: String,
    name: String,
    display_name: String,
    #[serde(rename = "type")]
    kind: String,
    server_url: String,
    provider: &'static str,
    show_in_api_console: bool,
    vhosts: Vec<VhostDto>,
    #[serde(rename = "endpointURIs")]
    endpoint_uris: Vec<String>,
    additional_properties: Vec<String>,
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
            kind: environment.kind.clone(),
            server_url: environment.server_url.clone(),
            provider: "wso2",
            show_in_api_console: true,
            vhosts: environment.vhosts.iter().map(VhostDto::from).collect(),
            endpoint_uris: Vec::new(),
            additional_properties: Vec::new(),
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

impl SettingsDto {
    /// What a portal needs before sign-in: the scopes to ask for.
    pub fn anonymous() -> Self {
        Self {
            scopes: rest_api::all().collect(),
            default_advance_policy: UNLIMITED.to_owned(),
            default_subscription_policy: UNLIMITED.to_owned(),
            authorization_header: "Authorization",
            ..Self::default()
        }
    }

    /// With the policies to begin with: `defaults` of operations and of APIs.
    pub fn whole(environments: &[Environment], defaults: (String, String)) -> Self {
        Self {
            default_advance_policy: defaults.0,
            default_subscription_policy: defaults.1,
            environment: environments.iter().map(EnvironmentDto::from).collect(),
            gateway_types: vec!["Regular"],
            ..Self::anonymous()
        }
    }
}
