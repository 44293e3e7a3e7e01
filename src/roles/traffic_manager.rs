//! The traffic manager: owns the throttle keys. Its ledger is apim_db.

use std::sync::Arc;

use domain::contract::Throttle;
use store::apim::lease_ledger::ApimLeaseLedger;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use traffic_manager::{Dependencies, TrafficManager};

use crate::node::NodeContext;

pub(crate) struct TrafficManagerRole(TrafficManager);

impl TrafficManagerRole {
    pub(crate) fn create(node: &NodeContext, node_id: String) -> Self {
        Self(TrafficManager::create(Dependencies {
            ledger: Arc::new(ApimLeaseLedger::new(node.apim.clone())),
            config: node.config.throttling.clone(),
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
            runtime: node.runtime.clone(),
            node_id,
        }))
    }

    pub(crate) fn throttle(&self) -> Arc<dyn Throttle> {
        self.0.throttle()
    }

    pub(crate) fn start(self, shutdown: CancellationToken) -> JoinHandle<()> {
        self.0.start(shutdown)
    }
}
