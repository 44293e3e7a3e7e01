//! The key manager: clients and tokens.

pub(crate) mod secrets;

use std::sync::Arc;

use config::Config;
use config::sections::server::Server;
use domain::Secret;
use domain::contract::{KeyManager, TenantKeys};
use domain::oauth::ResidentKeyManager;
use domain::tenant::Issuers;
use http::server::Services;
use key_manager::{Dependencies, KeyManagerService};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RoleError;
use super::accounts::Accounts;
use crate::node::{Databases, NodeContext};

pub(crate) struct KeyManagerRole(Arc<KeyManagerService>);

impl KeyManagerRole {
    /// Makes the signing key at the first start.
    pub(crate) async fn create(
        node: &NodeContext,
        databases: &Databases,
        accounts: &Accounts,
        key_encryption_key: Option<Secret<String>>,
    ) -> Result<Self, RoleError> {
        let failed = RoleError::of("key-manager");
        let oauth = node.config.oauth.clone();
        let key = match secrets::key_encryption_key(&oauth, &node.security, key_encryption_key) {
            Ok(key) => key,
            Err(error) => return Err(failed(error)),
        };
        let service = KeyManagerService::create(Dependencies {
            apim_db: databases.apim.clone(),
            users: Arc::clone(&accounts.users),
            key_encryption_key: Arc::new(key),
            issuer: issuer(&node.config),
            base_url: public_url(node),
            hostname: node.config.server.hostname.clone(),
            oauth,
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
        });
        Ok(Self(Arc::new(service.await.map_err(RoleError::of("key-manager"))?)))
    }

    pub(crate) fn key_manager(&self) -> Arc<dyn KeyManager> {
        Arc::clone(&self.0) as Arc<dyn KeyManager>
    }

    pub(crate) fn tenant_keys(&self) -> Arc<dyn TenantKeys> {
        self.0.tenant_keys()
    }

    pub(crate) fn mount(&self, services: Services) -> Services {
        let service = Arc::clone(&self.0);
        services
            .configure(move |routes| key_manager::configure(routes, Arc::clone(&service)))
            .routes(key_manager::internal_routes())
    }

    pub(crate) fn start(&self, node: &NodeContext, shutdown: CancellationToken) -> JoinHandle<()> {
        Arc::clone(&self.0).start(&node.runtime, shutdown)
    }
}

/// What a node without the key manager can say of it.
pub(crate) fn resident(node: &NodeContext) -> ResidentKeyManager {
    ResidentKeyManager { issuers: Issuers::new(issuer(&node.config)), public_url: public_url(node) }
}

/// Scheme, host and port under which clients reach the token service.
fn public_url(node: &NodeContext) -> String {
    let oauth = &node.config.oauth;
    let configured = oauth.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    configured.or_else(|| origin(oauth.issuer.as_deref()?)).unwrap_or_else(|| node.management_url())
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(format!("{scheme}://{authority}"))
}

/// `iss` of the super tenant's tokens.
pub(crate) fn issuer(config: &Config) -> String {
    config.oauth.issuer.clone().unwrap_or_else(|| default_issuer(&config.server))
}

/// From the configuration, not from the port that happened to be free: tokens stay good over restarts.
fn default_issuer(server: &Server) -> String {
    let port = match server.management_port {
        0 => Server::default().management_port,
        port => port,
    };
    format!("https://{}:{}/oauth2/token", server.hostname, port.saturating_add(server.port_offset))
}
