//! Publisher, developer portal and admin: three REST APIs on the same use cases.

use std::sync::Arc;

use actix_web::web::Data;
use client::GuardedFetch;
use control_plane::{ControlPlane, Deps, Environment, Vhost, bootstrap};
use domain::Organization;
use http::server::Services;

use super::RoleError;
use super::key_manager::KeyManagerRole;
use crate::node::NodeContext;

pub(crate) struct ControlPlaneRole(ControlPlane);

impl ControlPlaneRole {
    /// Stores the default policies at the first start, and finishes tenants that an earlier end left half-made.
    pub(crate) async fn create(node: &NodeContext, key_manager: &KeyManagerRole) -> Result<Self, RoleError> {
        let organization = Organization::super_tenant();
        bootstrap::ensure_default_policies(&node.apim, organization, node.clock.now())
            .await
            .map_err(RoleError::of("admin"))?;
        let control_plane = ControlPlane::new(Deps {
            apim: node.apim.clone(),
            shared: node.shared.clone(),
            key_manager: key_manager.key_manager(),
            tenant_keys: key_manager.tenant_keys(),
            passwords: key_manager.passwords(),
            clock: Arc::clone(&node.clock),
            environments: environments(node),
            heartbeat_fresh_for: node.config.event_hub.gateway_fresh_for.get(),
            fetch: GuardedFetch::new(&node.config.fetch),
        });
        control_plane.tenant_maker().resume().await.map_err(RoleError::of("admin"))?;
        Ok(Self(control_plane))
    }

    pub(crate) fn mount(&self, services: Services) -> Services {
        let data = Data::new(self.0.clone());
        services
            .configure(move |service| {
                service.app_data(data.clone());
            })
            .routes(publisher::routes())
            .routes(devportal::routes())
            .routes(admin::routes())
    }
}

/// The environments that the node's gateway serves, with the ports that are really bound.
fn environments(node: &NodeContext) -> Vec<Environment> {
    let offset = node.config.server.port_offset;
    let vhost = Vhost {
        host: node.config.server.hostname.clone(),
        http_port: node.addresses.gateway_http.port(),
        https_port: node.addresses.gateway_https.port(),
        // No listener yet: clients show these numbers only.
        ws_port: 9099_u16.saturating_add(offset),
        wss_port: 8099_u16.saturating_add(offset),
    };
    let names = &node.config.gateway.environments;
    let environment = |name: &String| Environment {
        name: name.clone(),
        display_name: name.clone(),
        kind: "hybrid".to_owned(),
        server_url: node.management_url(),
        vhosts: vec![vhost.clone()],
    };
    names.iter().map(environment).collect()
}
