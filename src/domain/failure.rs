//! Why a use case did not do what was asked: one type that every management room returns and one place maps to HTTP.

use crate::error_code::{self, ErrorCode};

/// A use case that failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The caller can mend it: the description says what is wrong and how.
    #[error("{description}")]
    Refused { code: ErrorCode, description: String },
    /// A pool or queue is full (503 with Retry-After).
    #[error("the service is busy")]
    Busy { retry_after_secs: u64 },
    /// Something else that is needed does not answer (503 with Retry-After); the description is for the caller.
    #[error("{description}")]
    Unavailable { description: String, retry_after_secs: u64 },
    /// The operator must mend it: logged in full, the caller sees a trace id only.
    #[error("internal failure")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    #[must_use]
    pub fn refused(code: ErrorCode, description: impl Into<String>) -> Self {
        Self::Refused { code, description: description.into() }
    }

    /// 400 that names the field.
    #[must_use]
    pub fn invalid(field: &str, reason: impl std::fmt::Display) -> Self {
        Self::refused(error_code::BAD_REQUEST, format!("{field}: {reason}"))
    }

    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<crate::name::InvalidName> for Failure {
    fn from(error: crate::name::InvalidName) -> Self {
        Self::refused(error_code::BAD_REQUEST, error.to_string())
    }
}
