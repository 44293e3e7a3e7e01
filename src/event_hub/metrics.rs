//! What the hub counts.

use domain::event::LogName;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use telemetry::metrics::Metrics;

pub(crate) struct HubMetrics {
    control_head: Gauge,
    revocation_head: Gauge,
    pub(crate) relay_errors: Counter,
    pub(crate) snapshots: Counter,
}

impl HubMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self {
            control_head: Gauge::default(),
            revocation_head: Gauge::default(),
            relay_errors: Counter::default(),
            snapshots: Counter::default(),
        };
        let Self { control_head, revocation_head, relay_errors, snapshots } = &own;
        metrics.register("event_hub_control_head", "Newest number of the control log", control_head.clone());
        metrics.register("event_hub_revocation_head", "Newest number of the revocation log", revocation_head.clone());
        metrics.register("event_hub_relay_errors", "Failed reads of the outbox", relay_errors.clone());
        metrics.register("event_hub_snapshots", "Snapshots read for gateways", snapshots.clone());
        own
    }

    pub(crate) fn head(&self, log: LogName, number: u64) {
        let gauge = match log {
            LogName::Control => &self.control_head,
            LogName::Revocation => &self.revocation_head,
        };
        gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
    }
}
