//! What can go wrong in the store, as far as a caller can act on it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use domain::Failure;

use crate::dialect;

/// A failed store operation; but for [`StoreError::CommitUnknown`], its transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection became free within `acquire_timeout`.
    #[error("no database connection became free in time")]
    Busy,
    /// The server cut a statement off: it ran or waited for a lock longer than it may.
    #[error("the database statement took too long and was cut off")]
    TimedOut(#[source] DieselError),
    /// The connection broke before the commit: the server was restarted, went away, or ended the connection. It undid
    /// the transaction.
    #[error("the connection to the database was lost before the commit")]
    Lost(#[source] DieselError),
    /// The connection broke while the server committed: the change is there or not. Nobody tries it anew unseen.
    #[error("the connection to the database was lost during the commit, whose outcome is unknown")]
    CommitUnknown(#[source] DieselError),
    /// Concurrent transactions made the database give this one up in every try.
    #[error("concurrent transactions were in the way again and again")]
    Contended,
    /// A unique or foreign key said no; the text names the constraint.
    #[error("the database refuses the change: {constraint}")]
    Conflict { constraint: String },
    /// The statement failed.
    #[error("the database failed")]
    Database(#[source] DieselError),
    /// A connection could not be opened.
    #[error("cannot connect to the database")]
    Connect(#[source] r2d2::Error),
    /// A stored value does not have its type's form: somebody changed the database by hand.
    #[error("{what} in the database is not valid: {reason}")]
    Corrupt { what: &'static str, reason: String },
    /// The blocking task ended without an answer (the process is stopping, or a bug panicked).
    #[error("the database task was stopped")]
    Stopped,
}

impl StoreError {
    /// Whether nothing was changed and a later try may succeed: the caller is asked to come back.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy | Self::TimedOut(_) | Self::Lost(_) | Self::Contended | Self::Connect(_))
    }

    pub(crate) fn corrupt(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, reason: reason.to_string() }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation,
                information,
            ) => {
                Self::Conflict { constraint: information.constraint_name().unwrap_or(information.message()).to_owned() }
            }
            DieselError::DatabaseError(_, ref information) if dialect::is_cut_off(information.message()) => {
                tracing::warn!(message = information.message(), "a database statement was cut off");
                Self::TimedOut(error)
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            ) => Self::Lost(error),
            other => Self::Database(other),
        }
    }
}

/// Errors that a transaction's closure may end with.
pub trait TransactionError: From<StoreError> + Send + 'static {
    /// Whether the database gave up on this transaction because of a concurrent one, so that a new try may succeed.
    fn is_retryable(&self) -> bool;
}

impl TransactionError for StoreError {
    fn is_retryable(&self) -> bool {
        let Self::Database(DieselError::DatabaseError(kind, information)) = self else { return false };
        matches!(kind, DatabaseErrorKind::SerializationFailure) || dialect::is_concurrency(information.message())
    }
}

/// The error of a transaction that makes what is missing: when another one was faster with the same row, the next try
/// finds it there.
#[derive(Debug)]
pub struct Raced(pub StoreError);

impl From<StoreError> for Raced {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl TransactionError for Raced {
    fn is_retryable(&self) -> bool {
        matches!(self.0, StoreError::Conflict { .. }) || self.0.is_retryable()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_temporary() => Self::Busy { retry_after_secs: 1 },
            other => Self::internal(other),
        }
    }
}

impl TransactionError for Failure {
    fn is_retryable(&self) -> bool {
        let Self::Internal(cause) = self else { return false };
        cause.downcast_ref::<StoreError>().is_some_and(TransactionError::is_retryable)
    }
}
