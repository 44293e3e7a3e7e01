//! Which roles a node plays, and where each finds the others: in this process, else on the nodes that `[cluster]` names.

use std::sync::Arc;

use client::{LeaseConnector, RemoteHub, RemoteInspector, RemoteKeyManager, RemoteThrottle};
use config::Role;
use domain::Secret;
use domain::contract::{EventBus, PasswordChecker, RuntimeData, Throttle, ThrottleInspector};
use gateway::RunningGateway;
use gateway::role::Bound;
use http::server::Services;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Databases, NodeContext};
use crate::listeners::LeaseSockets;
use crate::roles::RoleError;
use crate::roles::accounts::{Accounts, FirstAdministrator};
use crate::roles::control_plane::{Asked, ControlPlaneRole, KeyManagers};
use crate::roles::event_hub::EventHubRole;
use crate::roles::gateway::{GatewayRole, Peers};
use crate::roles::key_manager::{self, KeyManagerRole};
use crate::roles::membership::MembershipRole;
use crate::roles::throttle_looks::ThrottleLooks;
use crate::roles::traffic_manager::TrafficManagerRole;

/// Sockets of roles that bring their own servers.
pub(super) struct Sockets {
    pub gateway: Option<Bound>,
    pub leases: Option<LeaseSockets>,
}

/// Every role of the profile, made but not started.
pub(super) struct Roles {
    membership: MembershipRole,
    accounts: Option<Accounts>,
    key_manager: Option<KeyManagerRole>,
    event_hub: Option<EventHubRole>,
    traffic_manager: Option<TrafficManagerRole>,
    control_plane: Option<ControlPlaneRole>,
    gateway: Option<GatewayRole>,
    lease_connector: Option<LeaseConnector>,
}

/// What runs.
pub(super) struct Started {
    pub gateway: Option<RunningGateway>,
    pub tasks: Vec<JoinHandle<()>>,
}

impl Roles {
    /// In the order of their needs.
    pub(super) async fn create(
        node: &NodeContext,
        databases: Option<&Databases>,
        key_encryption_key: Option<Secret<String>>,
        sockets: Sockets,
    ) -> Result<Self, RoleError> {
        let membership = MembershipRole::create(node, databases).await?;
        let mut roles = Self {
            membership,
            accounts: None,
            key_manager: None,
            event_hub: None,
            traffic_manager: None,
            control_plane: None,
            gateway: None,
            lease_connector: None,
        };
        if let Some(databases) = databases {
            roles.create_with_databases(node, databases, key_encryption_key, sockets.leases).await?;
        }
        if let Some(bound) = sockets.gateway {
            let peers = roles.peers_of_gateway(node);
            roles.gateway = Some(GatewayRole::create(node, bound, peers)?);
        }
        Ok(roles)
    }

    async fn create_with_databases(
        &mut self,
        node: &NodeContext,
        databases: &Databases,
        key_encryption_key: Option<Secret<String>>,
        leases: Option<LeaseSockets>,
    ) -> Result<(), RoleError> {
        let plays = |role| node.profile.has(role);
        let makes_administrator = plays(Role::KeyManager);
        let first = if makes_administrator { FirstAdministrator::Make } else { FirstAdministrator::LeaveToKeyManager };
        let accounts = Accounts::create(node, databases, first).await?;
        if plays(Role::KeyManager) {
            let role = KeyManagerRole::create(node, databases, &accounts, key_encryption_key).await?;
            self.key_manager = Some(role);
        }
        if plays(Role::EventHub) {
            self.event_hub = Some(EventHubRole::create(node, databases)?);
        }
        if let (Some(sockets), Some(nodes)) = (leases, self.membership.nodes()) {
            self.traffic_manager = Some(TrafficManagerRole::create(node, databases, nodes, sockets)?);
        }
        if node.profile.has_any(&[Role::Publisher, Role::Admin, Role::Devportal]) {
            let (key_managers, throttle_inspector) = (self.key_managers(node), self.throttle_inspector(node));
            let asked = Asked { key_managers, throttle_inspector };
            self.control_plane = Some(ControlPlaneRole::create(node, databases, &accounts, asked).await?);
        }
        self.accounts = Some(accounts);
        Ok(())
    }

    fn key_managers(&self, node: &NodeContext) -> KeyManagers {
        match &self.key_manager {
            Some(own) => KeyManagers { key_manager: own.key_manager(), tenant_keys: own.tenant_keys() },
            None => {
                let remote = Arc::new(remote_key_manager(node));
                KeyManagers { key_manager: remote.clone(), tenant_keys: remote }
            }
        }
    }

    fn throttle_inspector(&self, node: &NodeContext) -> Arc<dyn ThrottleInspector> {
        let remote = || RemoteInspector::new(node.traffic_managers());
        let Some(own) = &self.traffic_manager else { return Arc::new(remote()) };
        let knows_others = !node.config.cluster.traffic_managers.is_empty();
        Arc::new(ThrottleLooks { own: own.inspector(), others: knows_others.then(remote) })
    }

    fn peers_of_gateway(&mut self, node: &NodeContext) -> Peers {
        let (event_bus, runtime_data): (Arc<dyn EventBus>, Arc<dyn RuntimeData>) = match &self.event_hub {
            Some(own) => (own.event_bus(), own.runtime_data()),
            None => {
                let remote = Arc::new(RemoteHub::new(node.traffic_managers()));
                (remote.clone(), remote)
            }
        };
        let mut remote_throttle = || -> Arc<dyn Throttle> {
            let timeout = node.config.cluster.answer_timeout.get();
            let (remote, connector) = RemoteThrottle::new(node.traffic_managers(), timeout);
            self.lease_connector = Some(connector);
            Arc::new(remote)
        };
        let throttle = match &self.traffic_manager {
            Some(own) if node.config.cluster.traffic_managers.is_empty() => own.throttle(None),
            Some(own) => own.throttle(Some(remote_throttle())),
            None => remote_throttle(),
        };
        let passwords: Arc<dyn PasswordChecker> = match &self.accounts {
            Some(own) => own.password_checker(),
            None => Arc::new(remote_key_manager(node)),
        };
        let token_service = node.config.gateway.token_proxy.then(|| node.key_managers());
        Peers { event_bus, runtime_data, throttle, passwords, token_service }
    }

    /// What the management listener answers: each role's own routes, and no others.
    pub(super) fn mount(&self, services: Services, serving: &CancellationToken) -> Services {
        let mut services = self.membership.mount(services);
        if let Some(accounts) = &self.accounts {
            services = services.authenticator(Arc::clone(&accounts.authenticator));
        }
        if let Some(role) = &self.event_hub {
            services = role.mount(services, serving);
        }
        if let Some(role) = &self.traffic_manager {
            services = role.mount(services);
        }
        if let Some(role) = &self.gateway {
            services = role.mount(services);
        }
        if let Some(role) = &self.key_manager {
            services = role.mount(services);
        }
        if let Some(role) = &self.control_plane {
            services = role.mount(services);
        }
        services
    }

    pub(super) async fn start(
        self,
        node: &NodeContext,
        serving: &CancellationToken,
        working: &CancellationToken,
    ) -> Result<Started, RoleError> {
        let mut tasks = vec![self.membership.start(node, working.clone())];
        if let Some(role) = self.key_manager {
            tasks.push(role.start(node, working.clone()));
        }
        if let Some(role) = self.event_hub {
            tasks.push(role.start(working.clone()));
        }
        if let Some(role) = self.traffic_manager {
            tasks.extend(role.start(working.clone())?);
        }
        if let Some(connector) = self.lease_connector {
            tasks.push(connector.start(working.clone()));
        }
        if let Some(role) = self.control_plane {
            tasks.extend(role.start(node, working.clone()).await?);
        }
        let mut gateway = None;
        if let Some(role) = self.gateway {
            let (running, sync) = role.start(serving, working.clone())?;
            tasks.push(sync);
            gateway = Some(running);
        }
        Ok(Started { gateway, tasks })
    }
}

fn remote_key_manager(node: &NodeContext) -> RemoteKeyManager {
    RemoteKeyManager::new(node.key_managers(), key_manager::resident(node))
}
