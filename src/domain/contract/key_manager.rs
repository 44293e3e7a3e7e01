//! What the developer portal asks of a key manager.

use std::borrow::Cow;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::oauth::{
    ClientChange, ClientRegistration, ClientSecret, InternalKey, IssuedToken, KeyManagerInfo, RegisteredClient,
};
use crate::{ApiId, Organization, Secret};

/// Why the key manager did not do it.
#[derive(Debug, thiserror::Error)]
pub enum KeyManagerError {
    /// The request breaks a rule; `field` is the wire name.
    #[error("{field}: {reason}")]
    Invalid { field: Cow<'static, str>, reason: String },
    #[error("there is no OAuth client '{0}'")]
    UnknownClient(String),
    /// The key manager's database has no free connection (the answer is 503 with Retry-After).
    #[error("the key manager is busy")]
    Busy,
    /// No key manager answers (the answer is 503 with Retry-After).
    #[error("no key manager can be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the key manager failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl KeyManagerError {
    /// The request breaks a rule; `field` is the wire name.
    pub fn invalid(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}

/// Dynamic client registration and application tokens.
#[async_trait]
pub trait KeyManager: Send + Sync {
    /// Makes a client, or brings the one with the same name and owner to the wished state and returns it.
    async fn register_client(&self, registration: ClientRegistration) -> Result<RegisteredClient, KeyManagerError>;

    async fn find_client(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<Option<RegisteredClient>, KeyManagerError>;

    /// Deletes the client and revokes its tokens; an unknown client is not an error.
    async fn delete_client(&self, organization: &Organization, client_id: &str) -> Result<(), KeyManagerError>;

    /// Where the organization's clients find the key manager, and what it serves.
    fn info(&self, organization: &Organization) -> KeyManagerInfo;

    /// Brings the client to the new state.
    async fn update_client(
        &self,
        organization: &Organization,
        client_id: &str,
        change: ClientChange,
    ) -> Result<RegisteredClient, KeyManagerError>;

    /// Whether `secret` is one that the client may use now; no for an unknown client, in the same time.
    async fn is_client_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        secret: &Secret<String>,
    ) -> Result<bool, KeyManagerError>;

    /// The secrets that count, the newest first.
    async fn list_secrets(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<Vec<ClientSecret>, KeyManagerError>;

    /// One more secret; it expires after `lifetime_secs` when given.
    async fn add_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        lifetime_secs: Option<u64>,
        properties: Map<String, Value>,
    ) -> Result<ClientSecret, KeyManagerError>;

    /// Ends one secret; tokens stay, since none is bound to a secret. Says whether there was such a secret.
    async fn revoke_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        secret_id: &str,
    ) -> Result<bool, KeyManagerError>;

    /// Puts one new secret in the place of all, and revokes the client's tokens.
    async fn regenerate_secret(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<ClientSecret, KeyManagerError>;

    /// Changes the password of a user who knows the present one, and revokes the user's tokens.
    async fn change_password(
        &self,
        organization: &Organization,
        username: &str,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), KeyManagerError>;

    /// An application token (grant `client_credentials`) for the client; scopes that are not granted are dropped.
    /// `lifetime_secs` overrides the client's own; -1 never expires.
    async fn issue_application_token(
        &self,
        organization: &Organization,
        client_id: &str,
        scopes: &[String],
        lifetime_secs: Option<i64>,
    ) -> Result<IssuedToken, KeyManagerError>;

    /// A key with which `user` (`user@tenant`) may call one API in whatever state it is, signed by the tenant's key.
    async fn issue_internal_key(
        &self,
        organization: &Organization,
        user: &str,
        api_id: ApiId,
    ) -> Result<InternalKey, KeyManagerError>;
}
