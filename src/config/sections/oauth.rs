//! `[oauth]`: the token service.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::human::HumanDuration;

/// The token service of the key manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oauth {
    /// `iss` of every token, the same on all nodes. When unset: `https://HOSTNAME:MANAGEMENT_PORT/oauth2/token`; must be
    /// set where key managers and publishers are nodes of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Scheme, host and port under which clients reach the token service, e.g. those of a load balancer. When unset: those
    /// of the issuer, else `https://HOSTNAME:MANAGEMENT_PORT` of the node itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Algorithm of new signing keys: `RS256`, `ES256` or `EdDSA`. After a change the old key goes on signing until
    /// everybody can know the new one.
    pub signing_algorithm: SigningAlgorithm,
    /// How client secrets are kept: `encrypted` (WSO2's wire shows them again) or `hash-only` (seen once, at creation).
    pub secrets: SecretsMode,
    /// What becomes of requested scopes that nothing defines: `drop`, or `grant` as WSO2 does.
    pub unknown_scopes: UnknownScopes,
    /// Life of tokens from `client_credentials` when the client has no limit of its own.
    pub application_token_lifetime: HumanDuration,
    /// Life of users' access tokens when the client has no limit of its own.
    pub user_token_lifetime: HumanDuration,
    /// Life of refresh tokens when the client has no limit of its own.
    pub refresh_token_lifetime: HumanDuration,
    /// How long a new signing key is published before it signs.
    pub key_publish_lead: HumanDuration,
    /// Callers that may wait for a password check, beyond one at work on each core; the next gets 503 with Retry-After.
    pub password_queue_max: usize,
    /// File with the key-encryption key (32 bytes as hexadecimal or base64). When unset: the environment variable
    /// `GATEWRIGHT_KEK`, else `HOME/security/kek`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_encryption_key_file: Option<PathBuf>,
}

impl Default for Oauth {
    fn default() -> Self {
        Self {
            issuer: None,
            public_url: None,
            signing_algorithm: SigningAlgorithm::default(),
            secrets: SecretsMode::default(),
            unknown_scopes: UnknownScopes::default(),
            application_token_lifetime: HumanDuration::from_secs(3600),
            user_token_lifetime: HumanDuration::from_secs(3600),
            refresh_token_lifetime: HumanDuration::from_secs(86_400),
            key_publish_lead: HumanDuration::from_secs(600),
            password_queue_max: 64,
            key_encryption_key_file: None,
        }
    }
}

/// See [`Oauth::signing_algorithm`] (RFC 7518 section 3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// See [`Oauth::secrets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretsMode {
    #[default]
    Encrypted,
    HashOnly,
}

/// See [`Oauth::unknown_scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownScopes {
    #[default]
    Drop,
    Grant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_reads_what_it_writes() {
        let text = toml::to_string(&Oauth::default()).unwrap();
        assert_eq!(toml::from_str::<Oauth>(&text).unwrap(), Oauth::default());
        assert!(
            text.contains("signing_algorithm = \"RS256\"\nsecrets = \"encrypted\"\nunknown_scopes = \"drop\""),
            "{text}"
        );
    }

    #[test]
    fn words_are_those_of_the_standards() {
        let section: Oauth = toml::from_str("signing_algorithm = \"EdDSA\"\nsecrets = \"hash-only\"").unwrap();
        assert_eq!(section.signing_algorithm, SigningAlgorithm::EdDsa);
        assert_eq!(section.secrets, SecretsMode::HashOnly);
        assert!(toml::from_str::<Oauth>("signing_algorithm = \"none\"").is_err());
    }
}
