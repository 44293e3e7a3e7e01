//! The traffic manager: owns the throttle keys. Its ledger is apim_db.

use std::sync::Arc;

use actix_web::web::Data;
use domain::contract::{NodeAuthenticator, Throttle, ThrottleInspector};
use http::server::Services;
use security::cluster_tls;
use store::apim::lease_ledger::ApimLeaseLedger;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use traffic_manager::{Dependencies, Door, LeaseServer, TrafficManager};

use super::RoleError;
use crate::listeners::LeaseSockets;
use crate::node::{Databases, NodeContext};

pub(crate) struct TrafficManagerRole {
    manager: TrafficManager,
    server: LeaseServer,
    doors: Vec<Door>,
}

impl TrafficManagerRole {
    pub(crate) fn create(
        node: &NodeContext,
        databases: &Databases,
        nodes: Arc<dyn NodeAuthenticator>,
        sockets: LeaseSockets,
    ) -> Result<Self, RoleError> {
        let config = node.config.throttling.clone();
        let connections_max = usize::try_from(config.lease_connections_max).unwrap_or(usize::MAX);
        let manager = TrafficManager::create(Dependencies {
            ledger: Arc::new(ApimLeaseLedger::new(databases.apim.clone())),
            config,
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
            runtime: node.runtime.clone(),
            node_id: node.node_id.clone(),
        });
        let tls = cluster_tls::nodes_only_config(node.membership.certificate(), &[]);
        let tls = Arc::new(tls.map_err(RoleError::of("traffic-manager"))?);
        let doors = vec![Door { socket: sockets.tls, tls: Some(tls) }, Door { socket: sockets.plain, tls: None }];
        let id = node.node_id.clone();
        let server = LeaseServer::new(manager.throttle(), nodes, id, connections_max, &node.metrics);
        Ok(Self { manager, server, doors })
    }

    /// For the gateway of this node; `others` are the other traffic managers.
    pub(crate) fn throttle(&self, others: Option<Arc<dyn Throttle>>) -> Arc<dyn Throttle> {
        self.manager.local_throttle(others)
    }

    /// Who looks at the keys of this traffic manager.
    pub(crate) fn inspector(&self) -> Arc<dyn ThrottleInspector> {
        Arc::new(self.manager.clone())
    }

    pub(crate) fn mount(&self, services: Services) -> Services {
        let inspector = Data::from(self.inspector());
        let services = services.configure(move |routes| {
            routes.app_data(inspector.clone());
        });
        services.routes(traffic_manager::rest::routes())
    }

    /// Must be called on the node's runtime.
    pub(crate) fn start(self, shutdown: CancellationToken) -> Result<Vec<JoinHandle<()>>, RoleError> {
        let mut tasks = self.server.start(self.doors, &shutdown).map_err(RoleError::of("traffic-manager"))?;
        tasks.extend(self.manager.start(shutdown));
        Ok(tasks)
    }
}
