//! Who calls from another node.

use async_trait::async_trait;

use super::AuthenticationError;
use crate::Secret;
use crate::node::NodeIdentity;

/// Checks node tokens.
#[async_trait]
pub trait NodeAuthenticator: Send + Sync {
    /// Whom the token speaks for, when it is valid now, narrowed to this node and good for `service` (one of
    /// [`crate::node::service`]).
    async fn node(&self, token: &Secret<String>, service: &str) -> Result<NodeIdentity, AuthenticationError>;
}
