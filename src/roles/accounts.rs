//! Who calls the management APIs: the user store, and the check of tokens. On every node that has the databases.

use std::net::IpAddr;
use std::sync::Arc;

use domain::Organization;
use domain::contract::{Authenticator, PasswordChecker, UserStore};
use key_manager::{LocalAuthenticator, LocalUserStore, bootstrap};
use security::password::PasswordGate;

use super::RoleError;
use super::key_manager::{issuer, secrets};
use crate::node::{Databases, NodeContext};

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

/// Whether this node makes the administrator when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstAdministrator {
    Make,
    LeaveToKeyManager,
}

#[derive(Clone)]
pub(crate) struct Accounts {
    pub passwords: PasswordGate,
    pub users: Arc<dyn UserStore>,
    pub authenticator: Arc<dyn Authenticator>,
}

impl Accounts {
    pub(crate) async fn create(
        node: &NodeContext,
        databases: &Databases,
        first: FirstAdministrator,
    ) -> Result<Self, RoleError> {
        Self::try_create(node, databases, first).await.map_err(RoleError::of("user store"))
    }

    async fn try_create(
        node: &NodeContext,
        databases: &Databases,
        first: FirstAdministrator,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let passwords = PasswordGate::new(node.runtime.clone(), cores, node.config.oauth.password_queue_max)?;
        let users: Arc<dyn UserStore> = Arc::new(LocalUserStore::new(databases.shared.clone(), passwords.clone()));
        check_administrator(node, databases, &passwords, users.as_ref(), first).await?;
        let authenticator = LocalAuthenticator::new(
            databases.apim.clone(),
            Arc::clone(&users),
            issuer(&node.config),
            Arc::clone(&node.clock),
        );
        Ok(Self { passwords, users, authenticator: Arc::new(authenticator) })
    }

    pub(crate) fn password_checker(&self) -> Arc<dyn PasswordChecker> {
        Arc::clone(&self.users) as Arc<dyn PasswordChecker>
    }
}

async fn check_administrator(
    node: &NodeContext,
    databases: &Databases,
    gate: &PasswordGate,
    users: &dyn UserStore,
    first: FirstAdministrator,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let username = &node.config.super_admin.username;
    let may_be_default = may_serve_with_default_password(&node.profile.name, node.config.server.bind);
    let refused = || Box::new(DefaultPassword { username: username.clone() });
    if first == FirstAdministrator::Make {
        let password = secrets::administrator_password(node)?;
        // Looked at before anything is stored: a refused first start must leave no administrator behind.
        if !may_be_default
            && password.matches(bootstrap::DEFAULT_PASSWORD.as_bytes())
            && users.find(username, &Organization::super_tenant()).await?.is_none()
        {
            return Err(refused());
        }
        bootstrap::ensure_super_admin(&databases.shared, gate, username, &password, node.clock.now()).await?;
    }
    if !may_be_default && bootstrap::has_default_password(&databases.shared, gate, username).await? {
        return Err(refused());
    }
    Ok(())
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
