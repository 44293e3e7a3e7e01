//! The metrics registry: rooms register their own counters, gauges and histograms, `/metrics` prints them.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Metric, Registry};

/// Content type of [`Metrics::encode`] (OpenMetrics 1.0.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A clonable handle on one registry. Each node has its own, so that several nodes can live in one process.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Metrics {
    #[must_use]
    pub fn new() -> Self {
        Self { registry: Arc::new(Mutex::new(Registry::with_prefix("gatewright"))) }
    }

    /// Adds a metric under `gatewright_<name>`; the caller keeps a clone of `metric` to count with.
    ///
    /// Counters are printed with the suffix `_total`, which therefore is no part of `name`.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// All metrics in OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        match encode(&mut text, &registry) {
            Ok(()) => text,
            // Writing into a String fails only when a metric's own encoder does; the scrape then is visibly empty.
            Err(error) => {
                tracing::error!(%error, "metrics cannot be encoded");
                "# EOF\n".to_owned()
            }
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn a_registered_counter_is_printed_with_prefix_and_suffix() {
        let metrics = Metrics::new();
        let calls: Counter = Counter::default();
        metrics.register("calls", "Calls so far", calls.clone());
        calls.inc_by(3);
        let text = metrics.encode();
        assert!(text.contains("gatewright_calls_total 3\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
