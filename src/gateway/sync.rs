//! Keeps the gateway's tables and its last good state on disk in step with the event hub.
//!
//! At creation the tables are filled from disk, so that the gateway serves with everything else dead. Then both logs are
//! followed, each by a task of its own: revocations never queue behind deploys. A batch of entries is persisted with its
//! position, then taken into the tables, then acknowledged; a crash in between repeats work and loses none. What to do
//! with an answer of the hub is decided in [`state`], which is pure.

mod acks;
mod artifacts;
mod audit;
mod backoff;
mod core;
mod follow;
mod heartbeat;
mod metrics;
mod persist;
mod snapshot;
pub mod state;
pub mod status;

use std::sync::Arc;
use std::time::Duration;

use domain::contract::{EventBus, RuntimeData};
use domain::event::LogName;
use domain::runtime::RevocationEntry;
use domain::{Clock, Timestamp};
use node_store::{Carbon, LastGood, NodeStoreError};
use telemetry::metrics::Metrics;
use telemetry::supervised;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::table::Tables;
use core::Core;
use status::SyncStatus;

/// What the sync is made of.
pub struct Deps {
    pub bus: Arc<dyn EventBus>,
    pub data: Arc<dyn RuntimeData>,
    /// Holds the last good state.
    pub carbon: Carbon,
    /// Name under which the gateway registers and acknowledges; the same over restarts.
    pub gateway_id: String,
    pub tables: Tables,
    /// Labels of the environments whose deployments this gateway serves.
    pub environments: Vec<String>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
    pub options: Options,
}

/// Intervals and limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often the hub hears that this gateway lives.
    pub heartbeat_interval: Duration,
    /// How long the hub may hold a question for entries open.
    pub fetch_wait: Duration,
    /// Most entries in one batch.
    pub fetch_max: usize,
    /// Longest wait for any other answer of the hub, and for entries beyond `fetch_wait`.
    pub answer_timeout: Duration,
    /// First and longest pause after an error.
    pub pause_min: Duration,
    pub pause_max: Duration,
    /// Artifacts that are fetched at the same time.
    pub artifacts_parallel: usize,
    /// Largest artifact document in bytes; a larger one fails its deployment.
    pub artifact_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_secs(5),
            fetch_wait: Duration::from_secs(20),
            fetch_max: 200,
            answer_timeout: Duration::from_secs(30),
            pause_min: Duration::from_millis(100),
            // Short: a network that comes back is noticed at once, and a refused connection costs next to nothing.
            pause_max: Duration::from_millis(400),
            artifacts_parallel: 8,
            artifact_bytes_max: 32 << 20,
        }
    }
}

/// The gateway's side of the event log.
pub struct Sync {
    core: Arc<Core>,
}

impl Sync {
    /// Loads the last good state into the tables; blocking, for start-up.
    ///
    /// A last good state that cannot be read is no error: the gateway then starts empty and takes a snapshot.
    #[must_use]
    pub fn create(deps: Deps) -> Self {
        let last_good = LastGood::new(deps.carbon.clone());
        let restored = persist::restore(&last_good, &deps.tables, deps.clock.now());
        Self { core: Arc::new(Core::new(deps, last_good, restored)) }
    }

    /// The name under which this gateway registers.
    #[must_use]
    pub fn gateway_id(&self) -> &str {
        &self.core.gateway_id
    }

    /// How far the gateway is; for readiness.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<SyncStatus> {
        self.core.status.subscribe()
    }

    /// Follows the hub until `shutdown`. A batch that is being persisted is finished first.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> JoinHandle<()> {
        let parts = (self.core, shutdown);
        tokio::spawn(async move {
            tokio::join!(
                supervised::run("gateway.sync.heartbeat", &parts, |(core, shutdown)| heartbeat::run(core, shutdown)),
                supervised::run("gateway.sync.control", &parts, |(core, shutdown)| {
                    follow::run(core, LogName::Control, shutdown)
                }),
                supervised::run("gateway.sync.revocation", &parts, |(core, shutdown)| {
                    follow::run(core, LogName::Revocation, shutdown)
                }),
                supervised::run("gateway.sync.audit", &parts, |(core, shutdown)| audit::run(core, shutdown)),
                supervised::run("gateway.sync.acks", &parts, |(core, shutdown)| acks::run(core, shutdown)),
            );
        })
    }
}

/// Why a step of the sync failed; it is tried again after a pause.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error("the event hub did not answer")]
    Bus(#[from] domain::contract::EventBusError),
    #[error("runtime data could not be fetched")]
    Data(#[from] domain::contract::RuntimeDataError),
    #[error("the event hub did not answer in time")]
    TimedOut(#[from] tokio::time::error::Elapsed),
    #[error("the last good state cannot be written")]
    Disk(#[from] NodeStoreError),
    #[error("the content cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    #[error("the blocking task was stopped")]
    Stopped(#[from] tokio::task::JoinError),
    /// The hub refers to a snapshot that is older than what is applied; going back would undo revocations.
    #[error("the snapshot at number {offered} of the {} log is not newer than what is applied", log.as_str())]
    OldSnapshot { log: LogName, offered: u64 },
}

/// Whether a revocation may be forgotten.
pub(crate) fn is_expired(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at <= RevocationEntry::forgettable(now)
}

#[cfg(test)]
mod tests;
