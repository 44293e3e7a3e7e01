//! Scopes that belong to an organization and not to one API.

use crate::{Organization, ScopeId, Timestamp};

/// A scope that several APIs may use (WSO2 `Scope`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedScope {
    pub id: ScopeId,
    pub organization: Organization,
    /// Never changes: APIs and tokens refer to it.
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// Roles of which a user needs one; empty lets every user have the scope.
    pub roles: Vec<String>,
    pub created_at: Timestamp,
}
