//! Words of the token service that more than one room speaks.

use serde::{Deserialize, Serialize};

use crate::tenant::{self, Issuers};
use crate::{Organization, Secret, Timestamp};

/// An OAuth client (RFC 6749 section 2).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Client {
    /// RFC 6749 `client_id`; WSO2's consumer key.
    pub id: String,
    pub organization: Organization,
    /// DCR `clientName`.
    pub name: String,
    /// User who owns the client, without the tenant.
    pub owner: String,
    /// RFC 6749 and 7591 grant type names, e.g. `client_credentials`.
    pub grant_types: Vec<String>,
    /// DCR `callbackUrl`: one URL or WSO2's `regexp=(a|b)`; empty when the client has none.
    pub callback_url: String,
    pub is_saas_app: bool,
    /// Lifetimes in seconds; the server's defaults when unset, -1 never expires.
    pub application_token_lifetime_secs: Option<i64>,
    pub user_token_lifetime_secs: Option<i64>,
    pub refresh_token_lifetime_secs: Option<i64>,
    /// Client of a developer portal application, and not of a management tool: never gets scopes of the REST APIs.
    pub is_portal_application: bool,
    /// Further key-generation properties (`pkceMandatory`, ..), kept as they came.
    pub additional_properties: serde_json::Map<String, serde_json::Value>,
    pub created_at: Timestamp,
}

/// What a client registration asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientRegistration {
    pub organization: Organization,
    pub name: String,
    pub owner: String,
    pub grant_types: Vec<String>,
    pub callback_url: String,
    pub is_saas_app: bool,
    pub application_token_lifetime_secs: Option<i64>,
    pub user_token_lifetime_secs: Option<i64>,
    pub refresh_token_lifetime_secs: Option<i64>,
    pub is_portal_application: bool,
    pub additional_properties: serde_json::Map<String, serde_json::Value>,
}

/// A client with its secret in clear, which only its owner may see.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    pub client: Client,
    /// `None` when secrets are kept as hashes only.
    pub secret: Option<Secret<String>>,
}

/// The new state of what a client's owner may change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientChange {
    pub grant_types: Vec<String>,
    pub callback_url: String,
    pub application_token_lifetime_secs: Option<i64>,
    pub user_token_lifetime_secs: Option<i64>,
    pub refresh_token_lifetime_secs: Option<i64>,
    pub additional_properties: serde_json::Map<String, serde_json::Value>,
}

/// One of a client's secrets; each that has not expired proves the client.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    pub id: String,
    /// `None` when secrets are kept as hashes only, except right after it was made.
    pub value: Option<Secret<String>>,
    /// What its maker wrote on it, e.g. a description.
    pub properties: serde_json::Map<String, serde_json::Value>,
    pub created_at: Timestamp,
    /// `None` counts until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// Where and how tokens are got from a key manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyManagerInfo {
    /// Also the audience of assertions that are exchanged for tokens.
    pub issuer: String,
    pub token_endpoint: String,
    pub revoke_endpoint: String,
    /// `None` while it is not served.
    pub user_info_endpoint: Option<String>,
    pub grant_types: Vec<String>,
}

/// Paths that clients use on the token service, below a tenant's prefix.
pub mod path {
    pub const TOKEN: &str = "/oauth2/token";
    pub const REVOKE: &str = "/oauth2/revoke";
    pub const USERINFO: &str = "/oauth2/userinfo";
}

/// Grants that the resident key manager serves (RFC 6749).
pub const GRANT_TYPES: [&str; 3] = ["client_credentials", "password", "refresh_token"];

/// What every node can say of the deployment's own key manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidentKeyManager {
    pub issuers: Issuers,
    /// Scheme, host and port under which clients reach it, without a slash at the end.
    pub public_url: String,
}

impl ResidentKeyManager {
    /// Where the organization's clients find it.
    #[must_use]
    pub fn info(&self, organization: &Organization) -> KeyManagerInfo {
        let url = |path: &str| format!("{}{}{path}", self.public_url, tenant::path_prefix(organization));
        KeyManagerInfo {
            issuer: self.issuers.of(organization),
            token_endpoint: url(path::TOKEN),
            revoke_endpoint: url(path::REVOKE),
            user_info_endpoint: Some(url(path::USERINFO)),
            grant_types: GRANT_TYPES.map(str::to_owned).to_vec(),
        }
    }
}

/// An access token as the token endpoint hands it out (RFC 6749 section 5.1).
#[derive(Debug, Clone)]
pub struct IssuedToken {
    pub access_token: Secret<String>,
    pub scopes: Vec<String>,
    /// Seconds until it expires.
    pub expires_in: i64,
}

/// A key for trying out one API.
#[derive(Debug, Clone)]
pub struct InternalKey {
    pub key: Secret<String>,
    /// Seconds until it expires.
    pub expires_in: i64,
}

/// Who a management request speaks for, after its credentials were checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Without the tenant, e.g. `admin`.
    pub username: String,
    pub organization: Organization,
    pub roles: Vec<String>,
    /// Scopes that the request may use.
    pub scopes: Vec<String>,
    /// `client_id` of the token; `None` with Basic authentication.
    pub client_id: Option<String>,
}

impl Principal {
    #[must_use]
    pub fn has_any_scope(&self, any_of: &[&str]) -> bool {
        any_of.iter().any(|scope| self.scopes.iter().any(|own| own == scope))
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == crate::user::role::ADMIN)
    }

    /// `admin` in the super tenant, `user@tenant` elsewhere.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        crate::user::qualified_name(&self.username, &self.organization)
    }
}
