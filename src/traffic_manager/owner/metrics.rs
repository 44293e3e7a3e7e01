//! What the traffic manager counts.

use domain::contract::ThrottleUnavailable;
use domain::contract::throttle::LeaseReply;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use telemetry::metrics::Metrics;

#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    pub granted: Counter,
    pub exhausted: Counter,
    pub unavailable: Counter,
    pub reservations: Counter,
    pub ledger_writes: Counter,
    pub ledger_failures: Counter,
    pub evictions: Counter,
    pub keys: Gauge,
    pub slots: Gauge,
}

impl Counters {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let counters = Self::default();
        metrics.register("throttle_leases_granted", "Leases handed out", counters.granted.clone());
        metrics.register("throttle_leases_exhausted", "Leases refused: used up", counters.exhausted.clone());
        metrics.register(
            "throttle_leases_unavailable",
            "Leases that could not be decided",
            counters.unavailable.clone(),
        );
        metrics.register("throttle_reservations", "Blocks reserved in the ledger", counters.reservations.clone());
        metrics.register(
            "throttle_ledger_writes",
            "Transactions in which blocks were reserved",
            counters.ledger_writes.clone(),
        );
        metrics.register("throttle_ledger_failures", "Those of them that failed", counters.ledger_failures.clone());
        metrics.register("throttle_keys_evicted", "Keys dropped at the limit of keys_max", counters.evictions.clone());
        metrics.register("throttle_keys", "Keys counted at present", counters.keys.clone());
        metrics.register("throttle_slots", "Slots of throttle keys that this node owns", counters.slots.clone());
        counters
    }

    pub(super) fn count(&self, reply: &Result<LeaseReply, ThrottleUnavailable>) {
        match reply {
            Ok(LeaseReply::Granted(_)) => self.granted.inc(),
            Ok(LeaseReply::Exhausted { .. }) => self.exhausted.inc(),
            Err(_) => self.unavailable.inc(),
        };
    }
}
