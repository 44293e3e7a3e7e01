//! The first start: tenant, roles and the administrator.

use domain::{Organization, Secret, Timestamp};
use security::password::{PasswordError, PasswordGate};
use store::shared::users::{self, Bootstrap};
use store::{SharedDb, StoreError};

/// The password that only an all-in-one node on loopback may serve with.
pub const DEFAULT_PASSWORD: &str = "admin";

/// The administrator could not be made or checked.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    #[error("the super administrator cannot be read or stored")]
    Store(#[from] StoreError),
    #[error("the super administrator's password cannot be hashed or checked")]
    Password(#[from] PasswordError),
}

/// Makes the super tenant, its built-in roles and the administrator with all of them, unless they exist. The password of
/// an administrator who exists is not touched.
pub async fn ensure_super_admin(
    shared_db: &SharedDb,
    gate: &PasswordGate,
    username: &str,
    password: &Secret<String>,
    now: Timestamp,
) -> Result<Bootstrap, BootstrapError> {
    if find_hash(shared_db, username).await?.is_some() {
        return Ok(Bootstrap::Existing);
    }
    let hash = Secret::new(gate.hash(password.clone()).await?);
    let name = username.to_owned();
    let outcome = shared_db.write(move |conn| users::ensure_super_admin(conn, &name, &hash, now)).await;
    match outcome {
        // Another node that started at the same time was faster.
        Err(StoreError::Conflict { .. }) => Ok(Bootstrap::Existing),
        other => Ok(other?),
    }
}

/// Whether the stored password of the administrator is the default one; a node that others can reach must not serve then.
pub async fn has_default_password(
    shared_db: &SharedDb,
    gate: &PasswordGate,
    username: &str,
) -> Result<bool, BootstrapError> {
    let Some(hash) = find_hash(shared_db, username).await? else { return Ok(false) };
    Ok(gate.verify(Secret::new(DEFAULT_PASSWORD.to_owned()), Some(hash.expose().clone())).await?)
}

async fn find_hash(shared_db: &SharedDb, username: &str) -> Result<Option<Secret<String>>, StoreError> {
    let name = username.to_owned();
    let stored = shared_db.read(move |conn| users::find(conn, &Organization::super_tenant(), &name)).await?;
    Ok(stored.map(|stored| stored.password_hash))
}
