//! `[event_hub]`: the numbered logs of changes that gateways follow.

use serde::{Deserialize, Serialize};

use crate::human::{ByteSize, HumanDuration};

/// The event hub of a traffic manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventHub {
    /// How often the outbox is read when nobody announces a commit. Commits of the same process, and on PostgreSQL those of
    /// every process, are seen at once.
    pub poll_interval: HumanDuration,
    /// Most entries kept of each log, in the database and in the hub's local copy. A gateway that is farther behind
    /// takes a snapshot.
    pub log_entries_max: u64,
    /// Most entries in one answer.
    pub fetch_entries_max: usize,
    /// Longest time that a gateway's request for entries is held open.
    pub fetch_wait_max: HumanDuration,
    /// Memory for API documents that gateways ask for.
    pub artifact_cache: ByteSize,
    /// A gateway counts as live when its last heartbeat is at most this long ago.
    pub gateway_fresh_for: HumanDuration,
    /// A gateway that was silent for this long is forgotten with its acknowledgements.
    pub gateway_forget_after: HumanDuration,
    /// How often the content of the database is digested for gateways to compare theirs with. One reading serves all
    /// gateways of the same environments.
    pub audit_interval: HumanDuration,
    /// How often old entries and silent gateways are removed.
    pub upkeep_interval: HumanDuration,
}

impl Default for EventHub {
    fn default() -> Self {
        Self {
            poll_interval: HumanDuration::from_secs(1),
            log_entries_max: 100_000,
            fetch_entries_max: 500,
            fetch_wait_max: HumanDuration::from_secs(30),
            artifact_cache: ByteSize::mib(16),
            gateway_fresh_for: HumanDuration::from_secs(30),
            gateway_forget_after: HumanDuration::from_secs(7 * 24 * 3600),
            audit_interval: HumanDuration::from_secs(60),
            upkeep_interval: HumanDuration::from_secs(600),
        }
    }
}
