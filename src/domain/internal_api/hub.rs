//! The event hub's part: `contract::EventBus` and `contract::RuntimeData` on the wire.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contract::event_bus::Fetch;
use crate::event::{LogName, Position};

pub const BASE: &str = "/internal/hub/v1";
/// [`HeadRequest`] -> `Position`.
pub const HEAD: &str = "/head";
/// [`FetchRequest`] -> `Fetched`. Held open until there are entries or the wait has passed.
pub const FETCH: &str = "/fetch";
/// `GatewayHeartbeat` -> `HubPulse`.
pub const HEARTBEAT: &str = "/heartbeat";
/// A list of `DeploymentAck` -> `{}`.
pub const ACKNOWLEDGE: &str = "/acknowledge";
/// [`SnapshotRequest`] -> `Snapshot`.
pub const SNAPSHOT: &str = "/snapshot";
/// [`ArtifactRequest`] -> the document byte for byte, or 404.
pub const ARTIFACT: &str = "/artifact";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeadRequest {
    pub log: LogName,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FetchRequest {
    pub log: LogName,
    pub after: Position,
    pub max: usize,
    pub wait_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SnapshotRequest {
    pub environments: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArtifactRequest {
    /// SHA-256 in hexadecimal.
    pub hash: String,
}

impl From<Fetch> for FetchRequest {
    fn from(fetch: Fetch) -> Self {
        let wait_ms = u64::try_from(fetch.wait.as_millis()).unwrap_or(u64::MAX);
        Self { log: fetch.log, after: fetch.after, max: fetch.max, wait_ms }
    }
}

impl From<FetchRequest> for Fetch {
    fn from(request: FetchRequest) -> Self {
        let FetchRequest { log, after, max, wait_ms } = request;
        Self { log, after, max, wait: Duration::from_millis(wait_ms) }
    }
}
