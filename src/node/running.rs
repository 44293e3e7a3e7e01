//! A node that runs, and how it ends.

use std::thread;
use std::time::Duration;

use gateway::RunningGateway;
use http::health::Health;
use security::cluster_tls::ClusterCertificate;
use telemetry::metrics::Metrics;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::home::Home;
use crate::listeners::Addresses;

/// Time beyond the drain time-out until a node stops waiting for its own threads.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How often readiness is looked at while somebody waits for it.
const READY_INTERVAL: Duration = Duration::from_millis(10);

/// A node whose roles run. Dropping it stops it without waiting.
pub struct RunningNode {
    pub(super) node_id: String,
    pub(super) addresses: Addresses,
    pub(super) certificate: ClusterCertificate,
    /// Method and path of each operation on the management listener that is in a room's table.
    pub(super) routes: Vec<String>,
    pub(super) metrics: Metrics,
    pub(super) health: Health,
    /// Servers and the gateway: cancelled first.
    pub(super) serving: CancellationToken,
    /// Background tasks, on which calls in flight still depend: cancelled second.
    pub(super) working: CancellationToken,
    pub(super) gateway: Option<RunningGateway>,
    pub(super) threads: Vec<thread::JoinHandle<()>>,
    pub(super) tasks: Vec<JoinHandle<()>>,
    pub(super) drain_delay: Duration,
    pub(super) drain_timeout: Duration,
    /// Ended by whoever started it, as long as it is not here.
    pub(super) runtime: Option<Runtime>,
    /// The last to go: another node may use the folder then.
    pub(super) home: Option<Home>,
}

impl RunningNode {
    /// Where the node can be reached.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The name under which other nodes know this one.
    #[must_use]
    pub fn node_id(&self) -> &str {
        &self.node_id
    }

    /// SHA-256 of the certificate that other nodes see; what they narrow their tokens to.
    #[must_use]
    pub fn cluster_fingerprint(&self) -> Option<String> {
        self.certificate.fingerprint().map(|fingerprint| fingerprint.to_string())
    }

    /// Method and path of each operation on the management listener that is in a room's table, e.g.
    /// `GET /api/am/publisher/v4/apis`.
    #[must_use]
    pub fn routes(&self) -> &[String] {
        &self.routes
    }

    /// The numbers that `/metrics` prints.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether every health check passes now.
    pub async fn ready(&self) -> bool {
        self.health.is_ready().await
    }

    /// What keeps the node from being ready now; nothing when it is.
    pub async fn failing_checks(&self) -> Vec<String> {
        self.health.failing().await
    }

    /// Returns once the node's own threads have done a piece of work: never, when they are stuck.
    pub async fn works(&self) {
        if let Some(runtime) = &self.runtime {
            // A runtime that is shutting down does nothing more, which is no sign of being stuck.
            drop(runtime.spawn(async {}).await);
        }
    }

    /// Waits until every health check passes.
    pub async fn until_ready(&self) {
        while !self.ready().await {
            tokio::time::sleep(READY_INTERVAL).await;
        }
    }

    /// Ends calls in flight within the drain time-out, then everything else. The home folder is free afterwards.
    pub async fn shutdown(mut self) {
        self.health.drain();
        // Connections that a load balancer holds are closed only once it has seen that it should use others.
        tokio::time::sleep(self.drain_delay).await;
        self.serving.cancel();
        let limit = self.drain_timeout + STOP_GRACE;
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            // A thread that panicked has said so itself.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let gateway = self.gateway.take();
        let joined = async {
            if let Some(gateway) = gateway {
                gateway.ended().await;
            }
            joined.await
        };
        if tokio::time::timeout(limit, joined).await.is_err() {
            tracing::warn!("servers did not end in time");
        }
        self.working.cancel();
        let tasks = std::mem::take(&mut self.tasks);
        if tokio::time::timeout(STOP_GRACE, futures_util::future::join_all(tasks)).await.is_err() {
            tracing::warn!("background tasks did not end in time");
        }
        if let Some(runtime) = self.runtime.take() {
            // Blocking, which no async context may do; open transactions end here.
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(STOP_GRACE)).await;
            if let Err(error) = ended {
                tracing::warn!(%error, "the runtime did not end well");
            }
        }
        drop(self.home.take());
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.serving.cancel();
        self.working.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
