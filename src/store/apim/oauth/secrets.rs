//! Secrets of OAuth clients: the hash that is checked, and a sealed copy where the wire must show the secret again.

use diesel::prelude::*;
use domain::{Organization, Timestamp};

use super::schema::oauth_client_secrets;
use crate::database::ApimConn;
use crate::error::StoreError;

/// A stored secret; the secret itself cannot be read from it without the key-encryption key.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct StoredSecret {
    /// The place that the sealed copy is bound to.
    pub id: String,
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// `None` when secrets are kept as hashes only.
    pub sealed: Option<String>,
}

pub fn insert(
    conn: &mut ApimConn,
    organization: &Organization,
    client_id: &str,
    secret: &StoredSecret,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(oauth_client_secrets::table)
        .values((
            oauth_client_secrets::id.eq(&secret.id),
            oauth_client_secrets::organization.eq(organization.as_str()),
            oauth_client_secrets::client_id.eq(client_id),
            oauth_client_secrets::secret_hash.eq(&secret.hash),
            oauth_client_secrets::sealed_secret.eq(&secret.sealed),
            oauth_client_secrets::created_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}

/// The client's secrets, the newest first.
pub fn list(conn: &mut ApimConn, client_id: &str) -> Result<Vec<StoredSecret>, StoreError> {
    Ok(oauth_client_secrets::table
        .filter(oauth_client_secrets::client_id.eq(client_id))
        .order((oauth_client_secrets::created_at.desc(), oauth_client_secrets::id))
        .select((oauth_client_secrets::id, oauth_client_secrets::secret_hash, oauth_client_secrets::sealed_secret))
        .load(conn.db())?)
}
