//! What the developer portal asks of a key manager.

use async_trait::async_trait;

use crate::oauth::{ClientRegistration, InternalKey, IssuedToken, RegisteredClient};
use crate::{ApiId, Organization};

/// Why the key manager did not do it.
#[derive(Debug, thiserror::Error)]
pub enum KeyManagerError {
    /// The request breaks a rule; `field` is the wire name.
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("there is no OAuth client '{0}'")]
    UnknownClient(String),
    /// The key manager's database has no free connection (the answer is 503 with Retry-After).
    #[error("the key manager is busy")]
    Busy,
    #[error("the key manager failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
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
