//! Publisher, developer portal and admin: three REST APIs on the same use cases, each where its role is played.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use client::GuardedFetch;
use config::Role;
use config::sections::control_plane::{EnvironmentVhost, GatewayEnvironment};
use control_plane::{ControlPlane, Deps, Environment, UnlimitedTier, Vhost, bootstrap};
use domain::Organization;
use domain::contract::{KeyManager, TenantKeys, ThrottleInspector};
use http::server::Services;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RoleError;
use super::accounts::Accounts;
use crate::node::{Databases, NodeContext};

/// Ports of WebSocket and its secure form before the offset.
const WS_PORT: u16 = 9099;
const WSS_PORT: u16 = 8099;

/// Pause between two attempts to finish tenants.
const RESUME_PAUSE: Duration = Duration::from_secs(2);

pub(crate) struct ControlPlaneRole {
    control_plane: ControlPlane,
    roles: Vec<Role>,
}

/// What the control plane asks of other roles, here or on other nodes.
pub(crate) struct Asked {
    pub key_managers: KeyManagers,
    pub throttle_inspector: Arc<dyn ThrottleInspector>,
}

/// The key manager as the control plane sees it, here or on another node.
pub(crate) struct KeyManagers {
    pub key_manager: Arc<dyn KeyManager>,
    pub tenant_keys: Arc<dyn TenantKeys>,
}

impl ControlPlaneRole {
    /// Stores the default policies at the first start.
    pub(crate) async fn create(
        node: &NodeContext,
        databases: &Databases,
        accounts: &Accounts,
        asked: Asked,
    ) -> Result<Self, RoleError> {
        let organization = Organization::super_tenant();
        bootstrap::ensure_default_policies(&databases.apim, organization, node.clock.now())
            .await
            .map_err(RoleError::of("admin"))?;
        let control_plane = ControlPlane::new(Deps {
            apim: databases.apim.clone(),
            shared: databases.shared.clone(),
            key_manager: asked.key_managers.key_manager,
            tenant_keys: asked.key_managers.tenant_keys,
            throttle_inspector: asked.throttle_inspector,
            passwords: accounts.passwords.clone(),
            clock: Arc::clone(&node.clock),
            environments: environments(node),
            heartbeat_fresh_for: node.config.event_hub.gateway_fresh_for.get(),
            fetch: GuardedFetch::new(&node.config.fetch),
            unlimited_tier: if node.config.throttling.enable_unlimited_tier {
                UnlimitedTier::Offered
            } else {
                UnlimitedTier::Hidden
            },
        });
        Ok(Self { control_plane, roles: node.profile.roles.clone() })
    }

    /// Finishes tenants that an earlier end left half-made, where tenants are made: before the node answers when the key
    /// manager is here, else as soon as one on another node does it.
    pub(crate) async fn start(
        self,
        node: &NodeContext,
        shutdown: CancellationToken,
    ) -> Result<Option<JoinHandle<()>>, RoleError> {
        if !self.roles.contains(&Role::Admin) {
            return Ok(None);
        }
        let maker = self.control_plane.tenant_maker();
        if node.profile.has(Role::KeyManager) {
            maker.resume().await.map_err(RoleError::of("admin"))?;
            return Ok(None);
        }
        Ok(Some(node.runtime.spawn(async move {
            while let Err(error) = maker.resume().await {
                tracing::debug!(%error, "unfinished tenants wait for a key manager");
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(RESUME_PAUSE) => {}
                }
            }
        })))
    }

    pub(crate) fn mount(&self, services: Services) -> Services {
        let data = Data::new(self.control_plane.clone());
        let mut services = services.configure(move |service| {
            service.app_data(data.clone());
        });
        for role in &self.roles {
            services = match role {
                Role::Publisher => services.routes(publisher::routes()),
                Role::Devportal => services.routes(devportal::routes()),
                Role::Admin => services.routes(admin::routes()),
                _ => services,
            };
        }
        services
    }
}

/// Those of the configuration, else the ones that `[gateway]` names, with the ports that are really bound.
fn environments(node: &NodeContext) -> Vec<Environment> {
    let configured = &node.config.control_plane.environments;
    if !configured.is_empty() {
        return configured.iter().map(|environment| configured_environment(node, environment)).collect();
    }
    let gateway = &node.config.gateway;
    let offset = node.config.server.port_offset;
    let (http_port, https_port) = match node.addresses.gateway {
        Some(bound) => (bound.http.port(), bound.https.port()),
        None => (gateway.http_port.saturating_add(offset), gateway.https_port.saturating_add(offset)),
    };
    let host = node.config.server.hostname.clone();
    let vhost = vhost(&EnvironmentVhost { host, http_port, https_port }, offset);
    let environment = |name: &String| Environment {
        name: name.clone(),
        display_name: name.clone(),
        kind: "hybrid".to_owned(),
        server_url: node.management_url(),
        vhosts: vec![vhost.clone()],
    };
    gateway.environments.iter().map(environment).collect()
}

fn configured_environment(node: &NodeContext, environment: &GatewayEnvironment) -> Environment {
    Environment {
        name: environment.name.clone(),
        display_name: environment.display_name.clone().unwrap_or_else(|| environment.name.clone()),
        kind: environment.kind.as_str().to_owned(),
        server_url: node.management_url(),
        vhosts: environment.vhosts.iter().map(|configured| vhost(configured, 0)).collect(),
    }
}

fn vhost(configured: &EnvironmentVhost, offset: u16) -> Vhost {
    let EnvironmentVhost { host, http_port, https_port } = configured.clone();
    // No listener yet: clients show these numbers only.
    let (ws_port, wss_port) = (WS_PORT.saturating_add(offset), WSS_PORT.saturating_add(offset));
    Vhost { host, http_port, https_port, ws_port, wss_port }
}
