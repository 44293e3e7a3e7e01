//! People and their roles.

use serde::{Deserialize, Serialize};

use crate::{Organization, UserId};

/// Roles that exist from the first start on.
pub mod role {
    pub const ADMIN: &str = "admin";
    pub const CREATOR: &str = "Internal/creator";
    pub const DEVOPS: &str = "Internal/devops";
    pub const EVERYONE: &str = "Internal/everyone";
    pub const PUBLISHER: &str = "Internal/publisher";
    pub const SUBSCRIBER: &str = "Internal/subscriber";

    /// All of them.
    pub const BUILT_IN: [&str; 6] = [ADMIN, CREATOR, DEVOPS, EVERYONE, PUBLISHER, SUBSCRIBER];
}

/// A person known to the user store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub organization: Organization,
    /// Without the tenant, e.g. `admin`.
    pub username: String,
    pub roles: Vec<String>,
}

impl User {
    /// `admin` in the super tenant, `user@tenant` elsewhere: how the wire names a user.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        qualified_name(&self.username, &self.organization)
    }

    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }
}

/// See [`User::qualified_name`].
#[must_use]
pub fn qualified_name(username: &str, organization: &Organization) -> String {
    if organization.is_super() { username.to_owned() } else { format!("{username}@{organization}") }
}

/// `user@carbon.super`, `user@tenant`: the form that throttle keys and token subjects use.
#[must_use]
pub fn user_with_tenant(username: &str, organization: &Organization) -> String {
    format!("{username}@{organization}")
}
