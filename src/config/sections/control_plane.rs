//! `[control_plane]`: what publishers offer to deploy to.

use serde::{Deserialize, Serialize};

/// The publisher, the developer portal and the admin API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlPlane {
    /// Gateway environments, as `[[control_plane.environments]]` with `name` and at least one
    /// `[[control_plane.environments.vhosts]]` with `host`. Without any: those of `[gateway] environments`, reached under
    /// this node's host name and the ports of `[gateway]`.
    pub environments: Vec<GatewayEnvironment>,
}

/// Gateways under one label, and where clients reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayEnvironment {
    /// Label that gateways name in `[gateway] environments`.
    pub name: String,
    /// The name when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `hybrid` (the default), `production` or `sandbox`.
    #[serde(default)]
    pub kind: EnvironmentKind,
    pub vhosts: Vec<EnvironmentVhost>,
}

/// A host name under which an environment's gateways answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVhost {
    pub host: String,
    #[serde(default = "http_port")]
    pub http_port: u16,
    #[serde(default = "https_port")]
    pub https_port: u16,
}

/// See [`GatewayEnvironment::kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentKind {
    #[default]
    Hybrid,
    Production,
    Sandbox,
}

impl EnvironmentKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}

fn http_port() -> u16 {
    8280
}

fn https_port() -> u16 {
    8243
}
