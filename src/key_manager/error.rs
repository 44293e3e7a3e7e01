//! Errors of the OAuth endpoints and the one place that makes their bodies (RFC 6749 section 5.2).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use domain::contract::{KeyManagerError, UserStoreError};
use http::problem::Problem;
use serde::Serialize;
use store::{StoreError, TransactionError};
use telemetry::error_chain::ErrorChain;

use crate::service::CreateError;

/// Seconds after which a caller may try again when a pool or queue is full.
const RETRY_AFTER_SECS: &str = "1";

/// Why an OAuth request is refused or failed. Texts are for the client's developer and never tell which of several
/// checks of a credential failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    /// RFC 6749 `invalid_request`.
    #[error("{0}")]
    InvalidRequest(String),
    /// RFC 6749 `invalid_client`, 401.
    #[error("client authentication failed")]
    InvalidClient,
    /// RFC 6749 `invalid_grant`.
    #[error("{0}")]
    InvalidGrant(&'static str),
    /// RFC 6749 `unauthorized_client`.
    #[error("{0}")]
    UnauthorizedClient(&'static str),
    /// RFC 6749 `unsupported_grant_type`.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// RFC 7591 section 3.2.2 `invalid_client_metadata`.
    #[error("{0}")]
    InvalidClientMetadata(String),
    /// A user's credentials are missing or wrong, 401.
    #[error("user authentication failed")]
    Unauthenticated,
    /// The user is known and may not do this, 403.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The path names a tenant that does not exist or is not active, 404.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// The body was not read; the status says why (408, 413, ..).
    #[error("{description}")]
    Body { status: u16, description: String },
    /// A pool or queue is full: 503 with Retry-After.
    #[error("the service is busy")]
    Busy,
    /// Logged in full; the client sees a trace id only.
    #[error("internal failure")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OAuthError {
    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The `error` member.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::Body { .. } | Self::UnknownTenant => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient(_) => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidClientMetadata(_) => "invalid_client_metadata",
            Self::Unauthenticated | Self::Forbidden(_) => "access_denied",
            Self::Busy => "temporarily_unavailable",
            Self::Internal(_) => "server_error",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::UnknownTenant => StatusCode::NOT_FOUND,
            Self::Body { status, .. } => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer; a 401 challenges for Basic credentials of `realm`. An internal failure is logged here, once.
    pub(crate) fn response(&self, realm: &str) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status());
        answer.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
        match self {
            Self::InvalidClient | Self::Unauthenticated => {
                answer.insert_header((WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\"")));
            }
            Self::Busy => {
                answer.insert_header((RETRY_AFTER, RETRY_AFTER_SECS));
            }
            _ => {}
        }
        answer.json(ErrorDto { error_description: self.description(), error: self.code() })
    }

    fn description(&self) -> String {
        let Self::Internal(cause) = self else { return self.to_string() };
        let trace_id = uuid::Uuid::new_v4().simple().to_string();
        tracing::error!(trace.id = %trace_id, error = %ErrorChain(cause.as_ref()), "OAuth request failed");
        format!("internal failure, trace id {trace_id}")
    }
}

#[derive(Serialize)]
struct ErrorDto {
    error_description: String,
    error: &'static str,
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_temporary() => Self::Busy,
            other => Self::internal(other),
        }
    }
}

impl TransactionError for OAuthError {
    fn is_retryable(&self) -> bool {
        let Self::Internal(cause) = self else { return false };
        cause.downcast_ref::<StoreError>().is_some_and(TransactionError::is_retryable)
    }
}

impl From<UserStoreError> for OAuthError {
    fn from(error: UserStoreError) -> Self {
        match error {
            UserStoreError::Busy => Self::Busy,
            UserStoreError::Unavailable(cause) => Self::Internal(cause),
        }
    }
}

impl From<CreateError> for OAuthError {
    fn from(error: CreateError) -> Self {
        KeyManagerError::from(error).into()
    }
}

impl From<KeyManagerError> for OAuthError {
    fn from(error: KeyManagerError) -> Self {
        match error {
            KeyManagerError::Invalid { field, reason } => Self::InvalidClientMetadata(format!("{field}: {reason}")),
            KeyManagerError::UnknownClient(_) => Self::InvalidClient,
            KeyManagerError::Busy => Self::Busy,
            KeyManagerError::Unavailable(cause) | KeyManagerError::Failed(cause) => Self::Internal(cause),
        }
    }
}

impl From<OAuthError> for KeyManagerError {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::Busy => Self::Busy,
            OAuthError::Internal(cause) => Self::Failed(cause),
            OAuthError::InvalidClientMetadata(reason) => Self::invalid("client", reason),
            other => Self::Failed(Box::new(other)),
        }
    }
}

impl From<Problem> for OAuthError {
    fn from(problem: Problem) -> Self {
        Self::Body { status: problem.code().status, description: problem.description().to_owned() }
    }
}
