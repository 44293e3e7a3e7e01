//! The gateway: serves from its own tables, which its sync keeps in step with the event hub.

use std::sync::Arc;

use actix_web::web::Data;
use domain::contract::{EventBus, RuntimeData, Throttle, UserStore};
use gateway::role::{Bound, GatewayDeps, RunningGateway};
use gateway::sync::status::SyncStatus;
use gateway::sync::{Deps, Options, Sync};
use gateway::table::Tables;
use http::health::CheckResult;
use http::server::Services;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RoleError;
use crate::node::NodeContext;

/// What other roles offer to the gateway.
pub(crate) struct Peers {
    pub event_bus: Arc<dyn EventBus>,
    pub runtime_data: Arc<dyn RuntimeData>,
    pub throttle: Arc<dyn Throttle>,
}

pub(crate) struct GatewayRole {
    tables: Tables,
    sync: Sync,
    gateway: gateway::GatewayRole,
}

impl GatewayRole {
    /// Blocking: fills the tables from the last good state.
    pub(crate) fn create(node: &NodeContext, bound: Bound, peers: Peers) -> Result<Self, RoleError> {
        let tables = Tables::new();
        let sync = Sync::create(Deps {
            bus: peers.event_bus,
            data: peers.runtime_data,
            carbon: node.carbon.clone(),
            tables: tables.clone(),
            environments: node.config.gateway.environments.clone(),
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
            options: Options::default(),
        })
        .map_err(RoleError::of("gateway"))?;
        let status = sync.status();
        node.health.register("gateway", move || readiness(&status));
        let gateway = bound
            .create(GatewayDeps {
                tables: tables.clone(),
                throttle: peers.throttle,
                metrics: node.metrics.clone(),
                clock: Arc::clone(&node.clock),
            })
            .map_err(RoleError::of("gateway"))?;
        Ok(Self { tables, sync, gateway })
    }

    /// What tools ask the gateway about itself, on the management listener.
    pub(crate) fn mount(&self, services: Services, users: Arc<dyn UserStore>) -> Services {
        let (tables, users) = (Data::new(self.tables.clone()), Data::from(users));
        services
            .configure(move |service| {
                service.app_data(tables.clone()).app_data(users.clone());
            })
            .routes(gateway::rest::routes())
    }

    /// Must be called on the node's runtime. `serving` ends the calls, `working` the sync.
    pub(crate) fn start(
        self,
        serving: &CancellationToken,
        working: CancellationToken,
    ) -> Result<(RunningGateway, JoinHandle<()>), RoleError> {
        let running = self.gateway.start(serving).map_err(RoleError::of("gateway"))?;
        Ok((running, self.sync.start(working)))
    }
}

/// A gateway can do its job once it has tables: the hub may be away.
fn readiness(status: &watch::Receiver<SyncStatus>) -> CheckResult {
    let status = status.borrow();
    if !status.is_loaded {
        return Err("has nothing to serve yet".to_owned());
    }
    let hub = if status.is_connected { "follows the hub" } else { "the hub does not answer" };
    let lag = status.control.lag() + status.revocation.lag();
    Ok(format!("serves; {hub}; {lag} entries behind; {} deployments failed", status.failed.len()))
}
