//! Refresh tokens, by the SHA-256 of the token. A token and those that replaced it form a family; a token that was
//! replaced stays until it expires, so that somebody who presents it again is noticed.

use diesel::prelude::*;
use domain::{Organization, Timestamp};

use super::PURGE_BATCH_MAX;
use super::schema::oauth_refresh_tokens;
use crate::database::ApimConn;
use crate::error::StoreError;

/// A refresh token and the access token that was issued with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token in hexadecimal.
    pub token_hash: String,
    pub organization: Organization,
    pub family_id: String,
    pub client_id: String,
    /// Without the tenant.
    pub username: String,
    /// Scopes that the family was granted first; a refresh may ask for fewer.
    pub scopes: Vec<String>,
    /// Whether another token took its place.
    pub is_rotated: bool,
    /// `jti` of the access token.
    pub access_token_id: String,
    pub access_expires_at: Timestamp,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = oauth_refresh_tokens)]
struct RefreshTokenRow {
    token_hash: String,
    organization: String,
    family_id: String,
    client_id: String,
    user_name: String,
    scopes: String,
    is_rotated: bool,
    access_token_id: String,
    access_expires_at: i64,
    issued_at: i64,
    expires_at: i64,
}

impl From<&RefreshToken> for RefreshTokenRow {
    fn from(token: &RefreshToken) -> Self {
        Self {
            token_hash: token.token_hash.clone(),
            organization: token.organization.to_string(),
            family_id: token.family_id.clone(),
            client_id: token.client_id.clone(),
            user_name: token.username.clone(),
            scopes: token.scopes.join(" "),
            is_rotated: token.is_rotated,
            access_token_id: token.access_token_id.clone(),
            access_expires_at: token.access_expires_at.as_millis(),
            issued_at: token.issued_at.as_millis(),
            expires_at: token.expires_at.as_millis(),
        }
    }
}

impl From<RefreshTokenRow> for RefreshToken {
    fn from(row: RefreshTokenRow) -> Self {
        Self {
            token_hash: row.token_hash,
            organization: Organization::from_trusted(row.organization),
            family_id: row.family_id,
            client_id: row.client_id,
            username: row.user_name,
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            is_rotated: row.is_rotated,
            access_token_id: row.access_token_id,
            access_expires_at: Timestamp::from_millis(row.access_expires_at),
            issued_at: Timestamp::from_millis(row.issued_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        }
    }
}

pub fn insert(conn: &mut ApimConn, token: &RefreshToken) -> Result<(), StoreError> {
    diesel::insert_into(oauth_refresh_tokens::table).values(RefreshTokenRow::from(token)).execute(conn.db())?;
    Ok(())
}

pub fn find(conn: &mut ApimConn, token_hash: &str) -> Result<Option<RefreshToken>, StoreError> {
    let row: Option<RefreshTokenRow> = oauth_refresh_tokens::table
        .find(token_hash)
        .select(RefreshTokenRow::as_select())
        .first(conn.db())
        .optional()?;
    Ok(row.map(RefreshToken::from))
}

/// The family of the refresh token that came with the access token of this `jti`.
pub fn find_family(conn: &mut ApimConn, access_token_id: &str) -> Result<Option<String>, StoreError> {
    Ok(oauth_refresh_tokens::table
        .filter(oauth_refresh_tokens::access_token_id.eq(access_token_id))
        .select(oauth_refresh_tokens::family_id)
        .first(conn.db())
        .optional()?)
}

/// Marks the token as replaced; says whether this call did it (of two at the same time, one does).
pub fn rotate(conn: &mut ApimConn, token_hash: &str) -> Result<bool, StoreError> {
    let target = oauth_refresh_tokens::table.find(token_hash).filter(oauth_refresh_tokens::is_rotated.eq(false));
    Ok(diesel::update(target).set(oauth_refresh_tokens::is_rotated.eq(true)).execute(conn.db())? == 1)
}

/// Deletes the family and returns its members. A member that a concurrent transaction replaces meanwhile leaves a new one
/// behind, which PostgreSQL shows to the next statement only: so it is asked until nothing is left.
pub fn delete_family(conn: &mut ApimConn, family_id: &str) -> Result<Vec<RefreshToken>, StoreError> {
    let family = oauth_refresh_tokens::table.filter(oauth_refresh_tokens::family_id.eq(family_id));
    let mut members = Vec::new();
    loop {
        let rows: Vec<RefreshTokenRow> = family.select(RefreshTokenRow::as_select()).load(conn.db())?;
        if rows.is_empty() {
            return Ok(members);
        }
        // Those that were seen, so that each deleted one is returned.
        let seen: Vec<&str> = rows.iter().map(|row| row.token_hash.as_str()).collect();
        let target = oauth_refresh_tokens::table.filter(oauth_refresh_tokens::token_hash.eq_any(seen));
        diesel::delete(target).execute(conn.db())?;
        members.extend(rows.into_iter().map(RefreshToken::from));
    }
}

/// Deletes every refresh token of the user, also one that a concurrent transaction puts in the place of another.
pub fn delete_of_user(conn: &mut ApimConn, organization: &Organization, username: &str) -> Result<(), StoreError> {
    let target = oauth_refresh_tokens::table
        .filter(oauth_refresh_tokens::organization.eq(organization.as_str()))
        .filter(oauth_refresh_tokens::user_name.eq(username));
    while diesel::delete(target).execute(conn.db())? > 0 {}
    Ok(())
}

/// Deletes up to [`PURGE_BATCH_MAX`] expired tokens and returns how many.
pub fn purge(conn: &mut ApimConn, now: Timestamp) -> Result<usize, StoreError> {
    let expired: Vec<String> = oauth_refresh_tokens::table
        .filter(oauth_refresh_tokens::expires_at.le(now.as_millis()))
        .order(oauth_refresh_tokens::expires_at)
        .limit(PURGE_BATCH_MAX)
        .select(oauth_refresh_tokens::token_hash)
        .load(conn.db())?;
    let target = oauth_refresh_tokens::table.filter(oauth_refresh_tokens::token_hash.eq_any(expired));
    Ok(diesel::delete(target).execute(conn.db())?)
}
