//! Keys that sign tokens. A key is published from its row's creation, signs from `use_from` on, and is published until
//! `retire_at`, so that every token finds its key as long as it lives.

use diesel::prelude::*;
use domain::{Organization, Timestamp};
use serde_json::Value;

use super::issuers;
use super::schema::oauth_signing_keys;
use crate::database::ApimConn;
use crate::error::StoreError;

/// A stored signing key.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSigningKey {
    pub kid: String,
    pub organization: Organization,
    /// `alg` of RFC 7518.
    pub algorithm: String,
    /// RFC 7517 JWK, public part only.
    pub public_jwk: Value,
    /// Private part, sealed with the key-encryption key.
    pub sealed_private_key: String,
    /// The key signs from here on until one with a later time does.
    pub use_from: Timestamp,
    /// The key is no longer published from here on; `None` while no successor exists.
    pub retire_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = oauth_signing_keys)]
struct SigningKeyRow {
    kid: String,
    organization: String,
    algorithm: String,
    public_jwk: String,
    sealed_private_key: String,
    use_from: i64,
    retire_at: Option<i64>,
    created_at: i64,
}

impl From<&StoredSigningKey> for SigningKeyRow {
    fn from(key: &StoredSigningKey) -> Self {
        Self {
            kid: key.kid.clone(),
            organization: key.organization.to_string(),
            algorithm: key.algorithm.clone(),
            public_jwk: key.public_jwk.to_string(),
            sealed_private_key: key.sealed_private_key.clone(),
            use_from: key.use_from.as_millis(),
            retire_at: key.retire_at.map(Timestamp::as_millis),
            created_at: key.created_at.as_millis(),
        }
    }
}

impl TryFrom<SigningKeyRow> for StoredSigningKey {
    type Error = StoreError;

    fn try_from(row: SigningKeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            kid: row.kid,
            organization: Organization::from_trusted(row.organization),
            algorithm: row.algorithm,
            public_jwk: serde_json::from_str(&row.public_jwk)
                .map_err(|error| StoreError::corrupt("public key", error))?,
            sealed_private_key: row.sealed_private_key,
            use_from: Timestamp::from_millis(row.use_from),
            retire_at: row.retire_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

/// Adds a key, lets the organization's others retire at `retire_others_at`, or when the last token that they cover has
/// expired if that is later, and announces the new key set.
pub fn add(
    conn: &mut ApimConn,
    key: &StoredSigningKey,
    retire_others_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let others = oauth_signing_keys::table
        .filter(oauth_signing_keys::organization.eq(key.organization.as_str()))
        .filter(oauth_signing_keys::retire_at.is_null());
    diesel::update(others)
        .set(oauth_signing_keys::retire_at.eq(Some(retire_others_at.as_millis())))
        .execute(conn.db())?;
    let too_early = oauth_signing_keys::table
        .filter(oauth_signing_keys::organization.eq(key.organization.as_str()))
        .filter(oauth_signing_keys::retire_at.assume_not_null().lt(oauth_signing_keys::covers_until));
    diesel::update(too_early)
        .set(oauth_signing_keys::retire_at.eq(oauth_signing_keys::covers_until.nullable()))
        .execute(conn.db())?;
    diesel::insert_into(oauth_signing_keys::table).values(SigningKeyRow::from(key)).execute(conn.db())?;
    issuers::announce(conn, &key.organization, now)
}

/// Keeps the key published until `until` at least, whatever happens to it meanwhile on any node; says whether it is still
/// there. A node does this before it lets a token out, so that no rotation can take the token's key away too early.
pub fn cover(conn: &mut ApimConn, kid: &str, until: Timestamp) -> Result<bool, StoreError> {
    let until = until.as_millis();
    let key = || oauth_signing_keys::table.find(kid);
    // The first change locks the row against a concurrent rotation or purge; the second sees what that left.
    diesel::update(key().filter(oauth_signing_keys::covers_until.lt(until)))
        .set(oauth_signing_keys::covers_until.eq(until))
        .execute(conn.db())?;
    diesel::update(key().filter(oauth_signing_keys::retire_at.assume_not_null().lt(until)))
        .set(oauth_signing_keys::retire_at.eq(Some(until)))
        .execute(conn.db())?;
    let found: Option<i64> = key().select(oauth_signing_keys::covers_until).first(conn.db()).optional()?;
    Ok(found.is_some())
}

/// The organization's published keys, the one that signs last first.
pub fn list_published(
    conn: &mut ApimConn,
    organization: &Organization,
    now: Timestamp,
) -> Result<Vec<StoredSigningKey>, StoreError> {
    let rows: Vec<SigningKeyRow> = oauth_signing_keys::table
        .filter(oauth_signing_keys::organization.eq(organization.as_str()))
        .filter(
            oauth_signing_keys::retire_at
                .is_null()
                .or(oauth_signing_keys::retire_at.assume_not_null().gt(now.as_millis())),
        )
        .order((oauth_signing_keys::use_from.desc(), oauth_signing_keys::kid))
        .select(SigningKeyRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(StoredSigningKey::try_from).collect()
}

/// Whether a key of any organization has retired and is not purged yet.
pub fn has_retired(conn: &mut ApimConn, now: Timestamp) -> Result<bool, StoreError> {
    let retired = oauth_signing_keys::table
        .filter(oauth_signing_keys::retire_at.assume_not_null().le(now.as_millis()))
        .select(oauth_signing_keys::kid);
    Ok(retired.first::<String>(conn.db()).optional()?.is_some())
}

/// Deletes retired keys, announces the key sets that this changes, and returns how many keys went.
pub fn purge(conn: &mut ApimConn, now: Timestamp) -> Result<usize, StoreError> {
    let retired: Vec<(String, String)> = oauth_signing_keys::table
        .filter(oauth_signing_keys::retire_at.assume_not_null().le(now.as_millis()))
        .order(oauth_signing_keys::organization)
        .limit(super::PURGE_BATCH_MAX)
        .select((oauth_signing_keys::organization, oauth_signing_keys::kid))
        .load(conn.db())?;
    let mut organizations: Vec<String> = retired.iter().map(|(organization, _)| organization.clone()).collect();
    organizations.dedup();
    let kids: Vec<String> = retired.into_iter().map(|(_, kid)| kid).collect();
    // Another node may have prolonged one since.
    let target = oauth_signing_keys::table
        .filter(oauth_signing_keys::kid.eq_any(kids))
        .filter(oauth_signing_keys::retire_at.assume_not_null().le(now.as_millis()));
    let deleted = diesel::delete(target).execute(conn.db())?;
    for organization in organizations {
        issuers::announce(conn, &Organization::from_trusted(organization), now)?;
    }
    Ok(deleted)
}
