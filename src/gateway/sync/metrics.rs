//! What the sync counts.

use domain::event::LogName;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use telemetry::metrics::Metrics;

#[derive(Default)]
pub(super) struct SyncMetrics {
    control_lag: Gauge,
    revocation_lag: Gauge,
    pub(super) applied: Counter,
    pub(super) skipped: Counter,
    pub(super) snapshots: Counter,
    pub(super) errors: Counter,
    pub(super) heartbeats: Counter,
    pub(super) content_mismatches: Counter,
    pub(super) failed_deployments: Gauge,
    pub(super) unacknowledged: Gauge,
}

impl SyncMetrics {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register("sync_control_lag", "Control entries not yet applied", own.control_lag.clone());
        metrics.register("sync_revocation_lag", "Revocation entries not yet applied", own.revocation_lag.clone());
        metrics.register("sync_applied", "Entries of both logs that were applied", own.applied.clone());
        metrics.register("sync_skipped", "Entries of a newer release that were skipped", own.skipped.clone());
        metrics.register("sync_snapshots", "Snapshots taken", own.snapshots.clone());
        metrics.register("sync_errors", "Failed steps, each tried again", own.errors.clone());
        metrics.register("sync_heartbeats", "Heartbeats that a hub took", own.heartbeats.clone());
        let mismatches = own.content_mismatches.clone();
        metrics.register("sync_content_mismatches", "Times that the content was not the control plane's", mismatches);
        let (failed, unacknowledged) = (own.failed_deployments.clone(), own.unacknowledged.clone());
        metrics.register("sync_failed_deployments", "Wanted revisions that cannot be served", failed);
        metrics.register("sync_unacknowledged", "Deployments whose acknowledgement was not taken", unacknowledged);
        own
    }

    pub(super) fn set_lag(&self, log: LogName, lag: u64) {
        let gauge = match log {
            LogName::Control => &self.control_lag,
            LogName::Revocation => &self.revocation_lag,
        };
        gauge.set(i64::try_from(lag).unwrap_or(i64::MAX));
    }
}
