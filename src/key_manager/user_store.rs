//! Users of shared_db, checked by password.

use std::sync::Arc;

use async_trait::async_trait;
use domain::contract::{PasswordChecker, UserStore, UserStoreError};
use domain::user::User;
use domain::{Organization, Secret, Timestamp, UserId};
use security::password::{PasswordError, PasswordGate};
use store::shared::users::{self, StoredUser, tenants};
use store::{SharedConn, SharedDb, StoreError};

/// Longest user name in characters that is looked up.
const USERNAME_CHARS_MAX: usize = 255;

/// The contract's user store over the local database.
#[derive(Debug, Clone)]
pub struct LocalUserStore {
    shared_db: SharedDb,
    gate: PasswordGate,
}

impl LocalUserStore {
    #[must_use]
    pub fn new(shared_db: SharedDb, gate: PasswordGate) -> Self {
        Self { shared_db, gate }
    }

    async fn find_by_login(&self, login: &str) -> Result<Option<StoredUser>, UserStoreError> {
        if login.chars().count() > USERNAME_CHARS_MAX {
            return Ok(None);
        }
        let login: Arc<str> = login.into();
        self.shared_db.read(move |conn| locate(conn, &login)).await.map_err(unavailable)
    }
}

/// The user whom `user`, `user@tenant` or `user@mail.example` names: the part after the last `@` is a tenant when there
/// is an active one of that name, else it belongs to the user's name.
fn locate(conn: &mut SharedConn, login: &str) -> Result<Option<StoredUser>, StoreError> {
    if let Some((username, domain)) = login.rsplit_once('@')
        && let Some(tenant) = tenants::find(conn, domain)?
    {
        if tenant.state != tenants::TenantState::Active {
            return Ok(None);
        }
        return users::find(conn, &tenant.organization, username);
    }
    users::find(conn, &Organization::super_tenant(), login)
}

/// The super tenant always is.
fn is_active(conn: &mut SharedConn, organization: &Organization) -> Result<bool, StoreError> {
    if organization.is_super() {
        return Ok(true);
    }
    let tenant = tenants::find(conn, organization.as_str())?;
    Ok(tenant.is_some_and(|tenant| tenant.state == tenants::TenantState::Active))
}

#[async_trait]
impl PasswordChecker for LocalUserStore {
    async fn authenticate(&self, username: &str, password: &Secret<String>) -> Result<Option<User>, UserStoreError> {
        let stored = self.find_by_login(username).await?;
        let hash = stored.as_ref().map(|stored| stored.password_hash.expose().clone());
        // Without a user the gate does the same work, so that the time tells nothing.
        match self.gate.verify(password.clone(), hash).await {
            Ok(true) => Ok(stored.map(|stored| stored.user)),
            Ok(false) | Err(PasswordError::TooLong) => Ok(None),
            Err(PasswordError::Busy) => Err(UserStoreError::Busy),
            Err(error) => Err(UserStoreError::Unavailable(Box::new(error))),
        }
    }
}

#[async_trait]
impl UserStore for LocalUserStore {
    async fn set_password(
        &self,
        id: UserId,
        password: &Secret<String>,
        now: Timestamp,
    ) -> Result<bool, UserStoreError> {
        let hash = match self.gate.hash(password.clone()).await {
            Ok(hash) => Secret::new(hash),
            Err(PasswordError::Busy) => return Err(UserStoreError::Busy),
            Err(error) => return Err(UserStoreError::Unavailable(Box::new(error))),
        };
        self.shared_db.write(move |conn| users::set_password(conn, id, &hash, now)).await.map_err(unavailable)
    }

    async fn has_tenant(&self, organization: &Organization) -> Result<bool, UserStoreError> {
        let organization = organization.clone();
        self.shared_db.read(move |conn| is_active(conn, &organization)).await.map_err(unavailable)
    }

    async fn find(&self, username: &str, organization: &Organization) -> Result<Option<User>, UserStoreError> {
        let (username, organization) = (username.to_owned(), organization.clone());
        let stored =
            self.shared_db
                .read(move |conn| {
                    if is_active(conn, &organization)? { users::find(conn, &organization, &username) } else { Ok(None) }
                })
                .await;
        Ok(stored.map_err(unavailable)?.map(|stored| stored.user))
    }
}

fn unavailable(error: StoreError) -> UserStoreError {
    match error {
        error if error.is_temporary() => UserStoreError::Busy,
        other => UserStoreError::Unavailable(Box::new(other)),
    }
}
