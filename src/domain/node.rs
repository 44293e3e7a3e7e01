//! Nodes of one deployment as they know each other.

use serde::{Deserialize, Serialize};

/// A node whose token was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeIdentity {
    /// See [`role`].
    pub roles: Vec<String>,
    /// `None` with an enrolment token that leaves the name to the node.
    pub node_id: Option<String>,
}

impl NodeIdentity {
    #[must_use]
    pub fn is(&self, node_id: &str) -> bool {
        self.node_id.as_deref() == Some(node_id)
    }
}

/// What a node can be to others; stands in its token and in its certificate.
pub mod role {
    pub const DEVPORTAL: &str = "devportal";
    pub const GATEWAY: &str = "gateway";
    pub const KEY_MANAGER: &str = "key-manager";
    pub const PUBLISHER: &str = "publisher";
    pub const TRAFFIC_MANAGER: &str = "traffic-manager";
}

/// What nodes offer to each other; a token says which of them its holder may call.
pub mod service {
    /// Logs of changes, snapshots, acknowledgements.
    pub const EVENT_HUB: &str = "event-hub";
    /// Clients, their secrets and tokens.
    pub const KEY_MANAGER: &str = "key-manager";
    /// Budget of throttle keys.
    pub const LEASES: &str = "leases";
    /// Enrolment and renewal.
    pub const NODE_TOKENS: &str = "node-tokens";
    /// Looks at what throttle keys are counted.
    pub const THROTTLE_LOOKS: &str = "throttle-looks";
    /// Checking people's passwords.
    pub const USER_STORE: &str = "user-store";
}
