//! People, checked by password.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user::User;
use crate::{Organization, Timestamp, UserId};

/// The user store cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum UserStoreError {
    /// The queue of password checks is full (the answer is 503 with Retry-After).
    #[error("too many password checks at a time")]
    Busy,
    #[error("the user store cannot be read")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What nodes without the user store may ask of it.
#[async_trait]
pub trait PasswordChecker: Send + Sync {
    /// The user when name (`user` or `user@tenant`) and password fit; `None` otherwise, in the same time for an unknown
    /// user as for a wrong password.
    async fn authenticate(&self, username: &str, password: &Secret<String>) -> Result<Option<User>, UserStoreError>;
}

/// The users of shared_db.
#[async_trait]
pub trait UserStore: PasswordChecker {
    /// Gives the user another password; says whether there is such a user.
    async fn set_password(&self, id: UserId, password: &Secret<String>, now: Timestamp)
    -> Result<bool, UserStoreError>;

    /// Whether the tenant exists and is active.
    async fn has_tenant(&self, organization: &Organization) -> Result<bool, UserStoreError>;

    /// The user of an active tenant, by name without tenant.
    async fn find(&self, username: &str, organization: &Organization) -> Result<Option<User>, UserStoreError>;
}
