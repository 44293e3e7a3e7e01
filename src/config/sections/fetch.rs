//! `[fetch]`: limits of whatever a user's input makes the node fetch from elsewhere.

use serde::{Deserialize, Serialize};

use crate::human::{ByteSize, HumanDuration};

/// The guarded fetcher (definitions by URL, and the like).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fetch {
    /// Whether addresses of this machine (loopback) may be fetched.
    pub allow_loopback: bool,
    /// Whether private and link-local addresses may be fetched.
    pub allow_private: bool,
    /// Longest time for a whole fetch, redirects included.
    pub timeout: HumanDuration,
    /// Largest body.
    pub body_max: ByteSize,
    /// Most redirects that are followed; each target is checked anew.
    pub redirects_max: u8,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            allow_loopback: false,
            allow_private: false,
            timeout: HumanDuration::from_secs(10),
            body_max: ByteSize::mib(32),
            redirects_max: 3,
        }
    }
}
