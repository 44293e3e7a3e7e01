//! Credentials of management requests.

use async_trait::async_trait;

use crate::oauth::Principal;
use crate::secret::Secret;

/// Why a management request is refused or cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Wrong, expired, revoked or of another kind; which one is for the log, never for the caller.
    #[error("credentials are refused: {0}")]
    Refused(&'static str),
    /// Too many password checks are waiting (the answer is 503 with Retry-After).
    #[error("too many authentication attempts at a time")]
    Busy,
    #[error("credentials cannot be checked")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Checks who a management request speaks for. Revocations and changed roles count at once.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// `Authorization: Bearer`: an access token with `typ: at+jwt` of this deployment's key manager.
    async fn bearer(&self, token: &Secret<String>) -> Result<Principal, AuthenticationError>;

    /// `Authorization: Basic`: a user of the user store; the scopes are all that the user's roles allow.
    async fn basic(&self, username: &str, password: &Secret<String>) -> Result<Principal, AuthenticationError>;
}
