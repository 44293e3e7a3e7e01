//! Secrets of OAuth clients: the hash that is checked, and a sealed copy where the wire must show the secret again.

use diesel::prelude::*;
use domain::{Organization, Timestamp};
use serde_json::{Map, Value};

use super::schema::oauth_client_secrets;
use crate::database::ApimConn;
use crate::error::StoreError;

/// A stored secret; the secret itself cannot be read from it without the key-encryption key.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSecret {
    /// The place that the sealed copy is bound to.
    pub id: String,
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// `None` when secrets are kept as hashes only.
    pub sealed: Option<String>,
    /// What its maker wrote on it, e.g. a description.
    pub properties: Map<String, Value>,
    pub created_at: Timestamp,
    /// `None` counts until it is revoked.
    pub expires_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = oauth_client_secrets)]
struct SecretRow {
    id: String,
    secret_hash: String,
    sealed_secret: Option<String>,
    created_at: i64,
    properties: String,
    expires_at: Option<i64>,
}

impl TryFrom<SecretRow> for StoredSecret {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            hash: row.secret_hash,
            sealed: row.sealed_secret,
            properties: serde_json::from_str(&row.properties)
                .map_err(|error| StoreError::corrupt("client secret", error))?,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_millis),
        })
    }
}

pub fn insert(
    conn: &mut ApimConn,
    organization: &Organization,
    client_id: &str,
    secret: &StoredSecret,
) -> Result<(), StoreError> {
    let properties =
        serde_json::to_string(&secret.properties).map_err(|error| StoreError::corrupt("client secret", error))?;
    diesel::insert_into(oauth_client_secrets::table)
        .values((
            oauth_client_secrets::id.eq(&secret.id),
            oauth_client_secrets::organization.eq(organization.as_str()),
            oauth_client_secrets::client_id.eq(client_id),
            oauth_client_secrets::secret_hash.eq(&secret.hash),
            oauth_client_secrets::sealed_secret.eq(&secret.sealed),
            oauth_client_secrets::created_at.eq(secret.created_at.as_millis()),
            oauth_client_secrets::properties.eq(properties),
            oauth_client_secrets::expires_at.eq(secret.expires_at.map(Timestamp::as_millis)),
        ))
        .execute(conn.db())?;
    Ok(())
}

/// The client's secrets that count at `now`, the newest first.
pub fn list(conn: &mut ApimConn, client_id: &str, now: Timestamp) -> Result<Vec<StoredSecret>, StoreError> {
    let is_live = oauth_client_secrets::expires_at
        .is_null()
        .or(oauth_client_secrets::expires_at.assume_not_null().gt(now.as_millis()));
    let rows: Vec<SecretRow> = oauth_client_secrets::table
        .filter(oauth_client_secrets::client_id.eq(client_id))
        .filter(is_live)
        // Ids grow with time, so that they order secrets of one millisecond.
        .order((oauth_client_secrets::created_at.desc(), oauth_client_secrets::id.desc()))
        .select(SecretRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(StoredSecret::try_from).collect()
}

/// Deletes one secret of the client; says whether it existed.
pub fn delete(conn: &mut ApimConn, client_id: &str, id: &str) -> Result<bool, StoreError> {
    let target = oauth_client_secrets::table.find(id).filter(oauth_client_secrets::client_id.eq(client_id));
    Ok(diesel::delete(target).execute(conn.db())? == 1)
}

/// Deletes the client's secrets that no longer count at `now`.
pub fn delete_expired(conn: &mut ApimConn, client_id: &str, now: Timestamp) -> Result<(), StoreError> {
    let target = oauth_client_secrets::table
        .filter(oauth_client_secrets::client_id.eq(client_id))
        .filter(oauth_client_secrets::expires_at.le(now.as_millis()));
    diesel::delete(target).execute(conn.db())?;
    Ok(())
}

/// Deletes every secret of the client.
pub fn delete_all(conn: &mut ApimConn, client_id: &str) -> Result<(), StoreError> {
    let target = oauth_client_secrets::table.filter(oauth_client_secrets::client_id.eq(client_id));
    diesel::delete(target).execute(conn.db())?;
    Ok(())
}
