//! `KeyManager`.

use domain::Organization;
use domain::runtime::TrustedIssuer;
use serde::Serialize;
use serde_json::Value;

/// The type of the key manager that is built in.
const BUILT_IN: &str = "default";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyManagerDto {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    enabled: bool,
    tenant_domain: Organization,
    configuration: ConfigurationDto,
}

/// What validates tokens without asking.
#[derive(Debug, Serialize)]
struct ConfigurationDto {
    issuer: String,
    self_validate_jwt: bool,
    /// RFC 7517, public keys only.
    jwks: Value,
}

impl From<TrustedIssuer> for KeyManagerDto {
    fn from(issuer: TrustedIssuer) -> Self {
        Self {
            name: issuer.name,
            kind: BUILT_IN,
            enabled: issuer.enabled,
            tenant_domain: issuer.organization,
            configuration: ConfigurationDto { issuer: issuer.issuer, self_validate_jwt: true, jwks: issuer.jwks },
        }
    }
}
