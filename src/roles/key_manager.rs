//! The key manager: users, clients and tokens.

pub(crate) mod secrets;

use std::net::IpAddr;
use std::sync::Arc;

use config::Config;
use config::sections::server::Server;
use domain::contract::{Authenticator, KeyManager, TenantKeys, UserStore};
use domain::{Organization, Secret};
use http::server::Services;
use key_manager::bootstrap;
use key_manager::{Dependencies, KeyManagerService, LocalAuthenticator, LocalUserStore};
use security::password::PasswordGate;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RoleError;
use crate::node::NodeContext;

/// The one profile that may serve with the default password, as long as only this machine reaches it.
const DEVELOPMENT_PROFILE: &str = "all-in-one";

/// The stored password of the administrator is the default one, and others could reach the node.
#[derive(Debug, thiserror::Error)]
#[error(
    "the administrator '{username}' has the default password, with which only a node with profile all-in-one that is \
     bound to loopback serves: set GATEWRIGHT__SUPER_ADMIN__PASSWORD_FILE before the first start, or change the password"
)]
struct DefaultPassword {
    username: String,
}

pub(crate) struct KeyManagerRole {
    service: Arc<KeyManagerService>,
    authenticator: Arc<dyn Authenticator>,
    passwords: PasswordGate,
    users: Arc<dyn UserStore>,
}

impl KeyManagerRole {
    /// Makes the administrator and the signing key at the first start.
    pub(crate) async fn create(
        node: &NodeContext,
        key_encryption_key: Option<Secret<String>>,
    ) -> Result<Self, RoleError> {
        Self::try_create(node, key_encryption_key).await.map_err(RoleError::of("key-manager"))
    }

    async fn try_create(
        node: &NodeContext,
        key_encryption_key: Option<Secret<String>>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let oauth = node.config.oauth.clone();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let gate = PasswordGate::new(node.runtime.clone(), cores, oauth.password_queue_max)?;
        let users: Arc<dyn UserStore> = Arc::new(LocalUserStore::new(node.shared.clone(), gate.clone()));
        ensure_administrator(node, &gate, users.as_ref()).await?;
        let base_url = node.management_url();
        let issuer = issuer(&node.config);
        let authenticator =
            LocalAuthenticator::new(node.apim.clone(), Arc::clone(&users), issuer.clone(), Arc::clone(&node.clock));
        let service = KeyManagerService::create(Dependencies {
            apim_db: node.apim.clone(),
            users: Arc::clone(&users),
            key_encryption_key: Arc::new(secrets::key_encryption_key(
                &node.config.oauth,
                &node.security,
                key_encryption_key,
            )?),
            oauth,
            issuer,
            base_url,
            hostname: node.config.server.hostname.clone(),
            clock: Arc::clone(&node.clock),
            metrics: node.metrics.clone(),
        })
        .await?;
        Ok(Self { service: Arc::new(service), authenticator: Arc::new(authenticator), passwords: gate, users })
    }

    pub(crate) fn key_manager(&self) -> Arc<dyn KeyManager> {
        Arc::clone(&self.service) as Arc<dyn KeyManager>
    }

    pub(crate) fn tenant_keys(&self) -> Arc<dyn TenantKeys> {
        self.service.tenant_keys()
    }

    pub(crate) fn passwords(&self) -> PasswordGate {
        self.passwords.clone()
    }

    pub(crate) fn users(&self) -> Arc<dyn UserStore> {
        Arc::clone(&self.users)
    }

    pub(crate) fn mount(&self, services: Services) -> Services {
        let service = Arc::clone(&self.service);
        services
            .authenticator(Arc::clone(&self.authenticator))
            .configure(move |routes| key_manager::configure(routes, Arc::clone(&service)))
    }

    pub(crate) fn start(&self, node: &NodeContext, shutdown: CancellationToken) -> JoinHandle<()> {
        Arc::clone(&self.service).start(&node.runtime, shutdown)
    }
}

async fn ensure_administrator(
    node: &NodeContext,
    gate: &PasswordGate,
    users: &dyn UserStore,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let username = &node.config.super_admin.username;
    let password = secrets::administrator_password(node)?;
    let may_be_default = may_serve_with_default_password(&node.profile, node.config.server.bind);
    let refused = || Box::new(DefaultPassword { username: username.clone() });
    // Looked at before anything is stored: a refused first start must leave no administrator behind.
    if !may_be_default
        && password.matches(bootstrap::DEFAULT_PASSWORD.as_bytes())
        && users.find(username, &Organization::super_tenant()).await?.is_none()
    {
        return Err(refused());
    }
    bootstrap::ensure_super_admin(&node.shared, gate, username, &password, node.clock.now()).await?;
    if !may_be_default && bootstrap::has_default_password(&node.shared, gate, username).await? {
        return Err(refused());
    }
    Ok(())
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

fn may_serve_with_default_password(profile: &str, bind: IpAddr) -> bool {
    profile == DEVELOPMENT_PROFILE && bind.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_password_serves_on_loopback_only() {
        let allowed = |profile: &str, bind: &str| may_serve_with_default_password(profile, bind.parse().unwrap());
        assert!(allowed("all-in-one", "127.0.0.1") && allowed("all-in-one", "::1"));
        assert!(!allowed("all-in-one", "0.0.0.0") && !allowed("all-in-one", "10.0.0.1"));
        assert!(!allowed("other", "127.0.0.1"));
    }
}
