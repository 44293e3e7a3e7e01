//! The event hub as gateways see it: numbered logs that are read by position, and acknowledgements.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::event::{LogEntry, LogName, Position};
use crate::{ApiId, Organization, RevisionId, Timestamp};

/// The hub cannot answer; the reader backs off and asks again.
#[derive(Debug, thiserror::Error)]
pub enum EventBusError {
    /// The node token is missing, expired, of another cluster or of another role.
    #[error("the hub refuses this node: {0}")]
    Refused(String),
    #[error("the event hub cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Entries of one log after a position.
#[derive(Debug, Clone)]
pub struct Fetch {
    pub log: LogName,
    /// The reader's position; its log id must be the hub's.
    pub after: Position,
    /// Most entries to return.
    pub max: usize,
    /// How long to wait for the first entry before answering with none.
    pub wait: Duration,
}

/// Answer to a [`Fetch`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetched {
    /// Consecutive entries right after the position (none when the wait passed), and the number of the log's newest.
    Entries { entries: Vec<LogEntry>, head: u64 },
    /// The position cannot be served: another log id, or entries already trimmed. The reader takes a snapshot.
    SnapshotRequired,
}

/// A gateway that says that it lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayHeartbeat {
    pub gateway_id: String,
    /// Environments whose deployments the gateway loads.
    pub environments: Vec<String>,
    /// Number applied of the control log.
    pub control: u64,
    /// Number applied of the revocation log.
    pub revocation: u64,
}

/// The hub's answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HubPulse {
    /// Newest numbers of the two logs, so that lag is known also while nothing is fetched.
    pub control: u64,
    pub revocation: u64,
    /// Live gateways that share an environment with the one that asks, itself included; 0 when the hub does not tell.
    /// Limits that each gateway keeps by itself are divided by it.
    pub live_gateways: u32,
    /// What a gateway of these environments holds at one position, to compare with; absent when the hub has not looked
    /// lately.
    pub content: Option<ContentDigest>,
}

/// Digests of everything that a gateway holds at a position of the control log, by kind ([`crate::content::kind`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentDigest {
    pub at: Position,
    /// Position of the revocation log at the same moment.
    #[serde(default)]
    pub revocation: Position,
    /// Schema version of the rows that were digested; only a reader of the same one can compare.
    #[serde(default)]
    pub schema: u32,
    /// When the hub looked; two looks may find the same.
    #[serde(default)]
    pub audited_at: Timestamp,
    /// Revocations that expire until then are left out: either side may have forgotten them.
    #[serde(default)]
    pub revocations_after: Timestamp,
    pub kinds: BTreeMap<String, String>,
}

/// What became of one deployment or removal at one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentAck {
    pub gateway_id: String,
    pub organization: Organization,
    pub api_id: ApiId,
    pub environment: String,
    /// `None` when the API was removed.
    pub revision_id: Option<RevisionId>,
    /// SHA-256 (hex) of the artifact that is now served.
    pub artifact_hash: Option<String>,
    /// `None` on success, else why the gateway could not load it; the previous revision goes on being served.
    pub error: Option<String>,
    pub at: Timestamp,
    /// Position of the control log at which this was so: of two acknowledgements in one log the later position counts,
    /// however they arrive. Absent from gateways that do not tell it; those count in the order of arrival.
    #[serde(default)]
    pub position: Position,
}

/// The event hub.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// The newest position of a log.
    async fn head(&self, log: LogName) -> Result<Position, EventBusError>;

    async fn fetch(&self, fetch: Fetch) -> Result<Fetched, EventBusError>;

    /// Registers the gateway or renews its registration.
    async fn heartbeat(&self, heartbeat: GatewayHeartbeat) -> Result<HubPulse, EventBusError>;

    /// Stores acknowledgements durably; repeating one is harmless, and one that arrives late replaces no later one.
    async fn acknowledge(&self, acks: Vec<DeploymentAck>) -> Result<(), EventBusError>;
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::internal_api::hub::FetchRequest;
    use crate::runtime::Snapshot;

    /// Reads what a neighbouring release sends: the fields of the first one, and some that nobody knows yet.
    fn read<T: DeserializeOwned>(mut message: Value) -> T {
        message["field_of_the_next_release"] = json!({"a": [1]});
        serde_json::from_value(message).unwrap()
    }

    #[test]
    fn messages_of_older_and_newer_releases_are_read() {
        let heartbeat: GatewayHeartbeat =
            read(json!({"gateway_id": "g", "environments": ["Default"], "control": 1, "revocation": 2}));
        assert_eq!((heartbeat.control, heartbeat.revocation), (1, 2));
        assert_eq!(read::<HubPulse>(json!({"control": 4})).control, 4);
        let digest: ContentDigest = read(json!({"at": {"log_id": "l", "number": 1}, "kinds": {"api": "00"}}));
        assert_eq!(digest.schema, 0, "of no release whose rows could be compared");
        let ack = json!({
            "gateway_id": "g", "organization": "carbon.super", "api_id": ApiId::random(), "environment": "Default",
            "revision_id": null, "artifact_hash": null, "error": null, "at": 5,
        });
        let ack = read::<DeploymentAck>(ack);
        assert_eq!((ack.at, ack.position), (Timestamp::from_millis(5), Position::default()));
        let position = json!({"log_id": "l", "number": 3});
        let fetch = json!({"log": "control", "after": position, "max": 10, "wait_ms": 5});
        assert_eq!(read::<FetchRequest>(fetch).max, 10);
        let snapshot = json!({
            "control": position, "revocation": position, "apis": [], "deployments": [], "applications": [],
            "key_mappings": [], "subscriptions": [], "subscription_policies": [], "application_policies": [],
            "issuers": [], "revocations": [],
        });
        assert_eq!(read::<Snapshot>(snapshot).control.number, 3);
    }

    #[test]
    fn an_answer_with_an_entry_of_a_newer_release_is_read_as_a_whole() {
        let entry = |number: u64, event: Value| json!({"number": number, "event_id": crate::EventId::random(), "schema": 9, "at": 1, "event": event});
        let known =
            json!({"type": "API_DELETE", "payload": {"organization": "carbon.super", "api_id": ApiId::random()}});
        let entries = [entry(1, json!({"type": "FLUX_UPDATE"})), entry(2, known)];
        let Fetched::Entries { entries, head } =
            serde_json::from_value(json!({"entries": {"entries": entries, "head": 2, "more": 1}})).unwrap()
        else {
            panic!("no entries")
        };
        assert_eq!((entries.len(), head), (2, 2));
        assert_eq!((entries[0].event.type_name(), entries[1].event.type_name()), ("UNKNOWN", "API_DELETE"));
    }
}
