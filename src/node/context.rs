//! What every role of a node is made from.

use std::path::PathBuf;
use std::sync::Arc;

use config::Config;
use domain::Clock;
use http::health::Health;
use node_store::Carbon;
use store::{ApimDb, SharedDb};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;

use crate::listeners::Addresses;

/// The node's own means; clones share them.
#[derive(Clone)]
pub(crate) struct NodeContext {
    pub config: Arc<Config>,
    pub profile: String,
    /// Folders of the home folder.
    pub databases: PathBuf,
    pub security: PathBuf,
    pub addresses: Addresses,
    pub runtime: Handle,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
    pub health: Health,
    /// The node's own small facts.
    pub carbon: Carbon,
    pub apim: ApimDb,
    pub shared: SharedDb,
}

impl NodeContext {
    /// `https://host:port` of the management listener, as clients reach it.
    pub fn management_url(&self) -> String {
        format!("https://{}:{}", self.config.server.hostname, self.addresses.management.port())
    }
}
