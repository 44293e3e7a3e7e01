//! Looks at throttle keys: `contract::ThrottleInspector` on the wire, served by traffic managers.

use serde::{Deserialize, Serialize};

use crate::contract::throttle_inspector::KeyState;

pub const BASE: &str = "/internal/throttle/v1";
/// `KeyQuestion` -> [`LookAnswer`].
pub const LOOK: &str = "/look";

/// Longest key that is looked at, in bytes.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookAnswer {
    State(KeyState),
    /// Another traffic manager owns the key: its node id.
    NotOwner {
        owner: String,
    },
    /// Nobody does for certain.
    Unsettled,
}
