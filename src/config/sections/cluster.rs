//! `[cluster]`: how the nodes of one deployment find and know each other.

use serde::{Deserialize, Serialize};

use crate::human::HumanDuration;
use crate::secret_text::SecretText;

/// How this node finds the others and proves who it is. An all-in-one node needs none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// Name under which this node appears to the others; letters, digits, `.`, `_` and `-`. When unset, one is made at the
    /// first start and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// Token by which this node joins, printed by `gatewright token mint` on a traffic manager. Needed at the first start
    /// only: later the node renews what it got then. Better set through `GATEWRIGHT__CLUSTER__TOKEN_FILE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretText>,
    /// Management URLs of the traffic managers, e.g. `["https://tm1:9443", "https://tm2:9443"]`. The first that answers is
    /// asked, the others stand by.
    pub traffic_managers: Vec<String>,
    /// Management URLs of the key managers.
    pub key_managers: Vec<String>,
    /// Life of the tokens that traffic managers give to nodes; a node renews its own at two thirds of it. Until then the
    /// traffic managers may be away.
    pub node_token_lifetime: HumanDuration,
    /// Longest wait for a connection to another node, TLS handshake included.
    pub connect_timeout: HumanDuration,
    /// Longest wait for another node's answer.
    pub answer_timeout: HumanDuration,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            node_id: None,
            token: None,
            traffic_managers: Vec::new(),
            key_managers: Vec::new(),
            node_token_lifetime: HumanDuration::from_secs(30 * 24 * 3600),
            connect_timeout: HumanDuration::from_secs(2),
            answer_timeout: HumanDuration::from_secs(10),
        }
    }
}

impl Cluster {
    /// Why a text is no name of a node, if it is none.
    #[must_use]
    pub fn node_id_error(text: &str) -> Option<&'static str> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(is_allowed);
        (!fits).then_some("has 1 to 100 letters, digits, '.', '_' and '-'")
    }
}
