//! The gateway: serves from its own tables, which its sync keeps in step with the event hub.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use client::Peers as PeerNodes;
use domain::Timestamp;
use domain::contract::{EventBus, PasswordChecker, RuntimeData, Throttle};
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
    pub passwords: Arc<dyn PasswordChecker>,
    /// Where calls to the token service go, unless the gateway passes none on.
    pub token_service: Option<PeerNodes>,
}

pub(crate) struct GatewayRole {
    tables: Tables,
    sync: Sync,
    gateway: gateway::GatewayRole,
    passwords: Arc<dyn PasswordChecker>,
}

impl GatewayRole {
    /// Blocking: fills the tables from the last good state.
    pub(crate) fn create(node: &NodeContext, bound: Bound, peers: Peers) -> Result<Self, RoleError> {
        let tables = Tables::new();
        let sync = Sync::create(Deps {
            bus: peers.event_bus,
            data: peers.runtime_data,
            carbon: node.carbon.clone(),
            gateway_id: node.node_id.clone(),
            tables: tables.clone(),
            environments: node.config.gateway.environments.clone(),
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
            options: Options::default(),
        });
        let status = sync.status();
        let (clock, max_stale) = (Arc::clone(&node.clock), node.config.gateway.max_stale.get());
        node.health.register("gateway", move || readiness(&status, clock.now(), max_stale));
        let gateway = bound
            .create(GatewayDeps {
                tables: tables.clone(),
                throttle: peers.throttle,
                on_tm_loss: node.config.throttling.on_tm_loss,
                token_service: peers.token_service,
                metrics: node.metrics.clone(),
                clock: Arc::clone(&node.clock),
            })
            .map_err(RoleError::of("gateway"))?;
        Ok(Self { tables, sync, gateway, passwords: peers.passwords })
    }

    /// What tools ask the gateway about itself, on the management listener.
    pub(crate) fn mount(&self, services: Services) -> Services {
        let (tables, passwords) = (Data::new(self.tables.clone()), Data::from(Arc::clone(&self.passwords)));
        services
            .configure(move |service| {
                service.app_data(tables.clone()).app_data(passwords.clone());
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

/// A gateway can do its job once it has tables: the hub may be away, unless `max_stale` (zero for no limit) is over.
fn readiness(status: &watch::Receiver<SyncStatus>, now: Timestamp, max_stale: Duration) -> CheckResult {
    let status = status.borrow();
    if !status.is_loaded {
        return Err("has nothing to serve yet".to_owned());
    }
    let hub = if status.is_connected { "follows the hub" } else { "the hub does not answer" };
    let (control, revocation) = (&status.control, &status.revocation);
    let report = format!(
        "serves control {} and revocation {}; {hub}; {} entries behind; {} deployments failed{}",
        control.applied.number,
        revocation.applied.number,
        control.lag() + revocation.lag(),
        status.failed.len(),
        status.disk_report()
    );
    let is_stale = !max_stale.is_zero() && status.last_contact.is_none_or(|contact| contact.plus(max_stale) < now);
    if is_stale { Err(format!("{report}; cut off for longer than max_stale")) } else { Ok(report) }
}
