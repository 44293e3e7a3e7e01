//! What no longer counts. A revocation is a row and an event of one transaction, so nobody can see one without the
//! other following.

pub mod of_tenants;

use diesel::prelude::*;
use domain::event::Event;
use domain::runtime::{Revocation, RevocationEntry};
use domain::{EventId, Organization, Timestamp};

use super::PURGE_BATCH_MAX;
use super::schema::oauth_revocations;
use crate::database::ApimConn;
use crate::error::StoreError;

const TOKEN: &str = "token";
const CLIENT: &str = "client";
const USER: &str = "user";

/// What of an access token decides whether it was revoked.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    pub organization: &'a Organization,
    pub jti: &'a str,
    pub client_id: &'a str,
    /// `user@tenant`: the token's subject.
    pub user: &'a str,
    pub issued_at: Timestamp,
}

/// Revokes. Doing it twice is harmless.
pub fn insert(conn: &mut ApimConn, entry: &RevocationEntry, now: Timestamp) -> Result<(), StoreError> {
    let (kind, subject, issued_before) = match &entry.revocation {
        Revocation::Token { jti } => (TOKEN, jti, None),
        Revocation::ConsumerKey { consumer_key, before } => (CLIENT, consumer_key, Some(before.as_millis())),
        Revocation::User { user, before } => (USER, user, Some(before.as_millis())),
    };
    diesel::insert_into(oauth_revocations::table)
        .values((
            oauth_revocations::id.eq(EventId::random().to_string()),
            oauth_revocations::organization.eq(entry.organization.as_str()),
            oauth_revocations::kind.eq(kind),
            oauth_revocations::subject.eq(subject),
            oauth_revocations::issued_before.eq(issued_before),
            oauth_revocations::revoked_at.eq(now.as_millis()),
            oauth_revocations::expires_at.eq(entry.expires_at.as_millis()),
        ))
        .execute(conn.db())?;
    conn.append(now, Event::Revoked(entry.clone()));
    Ok(())
}

/// Whether the token, its client or its user was revoked since it was issued.
pub fn is_revoked(conn: &mut ApimConn, token: TokenFacts<'_>) -> Result<bool, StoreError> {
    use oauth_revocations::{id, issued_before, kind, organization, subject};
    let issued_at = token.issued_at.as_millis();
    let found: Option<String> = oauth_revocations::table
        // Clients of the super tenant may serve users of all tenants, whose tokens end with the client.
        .filter(organization.eq_any([token.organization.as_str(), Organization::SUPER]))
        .filter(
            kind.eq(TOKEN)
                .and(subject.eq(token.jti))
                .or(kind.eq(CLIENT).and(subject.eq(token.client_id)).and(issued_before.assume_not_null().gt(issued_at)))
                .or(kind.eq(USER).and(subject.eq(token.user)).and(issued_before.assume_not_null().gt(issued_at))),
        )
        .select(id)
        .first(conn.db())
        .optional()?;
    Ok(found.is_some())
}

/// Every revocation that still matters at `now`, for snapshots.
pub fn list(conn: &mut ApimConn, now: Timestamp) -> Result<Vec<RevocationEntry>, StoreError> {
    let rows: Vec<Row> = oauth_revocations::table
        .filter(oauth_revocations::expires_at.gt(RevocationEntry::forgettable(now).as_millis()))
        .order(oauth_revocations::id)
        .select(Row::as_select())
        .load(conn.db())?;
    rows.into_iter().map(entry).collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = oauth_revocations)]
struct Row {
    organization: String,
    kind: String,
    subject: String,
    issued_before: Option<i64>,
    expires_at: i64,
}

fn entry(row: Row) -> Result<RevocationEntry, StoreError> {
    let Row { organization, kind, subject, issued_before, expires_at } = row;
    let before = || {
        let millis = issued_before.ok_or_else(|| StoreError::corrupt("revocation", "it has no time"))?;
        Ok::<_, StoreError>(Timestamp::from_millis(millis))
    };
    let revocation = match kind.as_str() {
        TOKEN => Revocation::Token { jti: subject },
        CLIENT => Revocation::ConsumerKey { consumer_key: subject, before: before()? },
        USER => Revocation::User { user: subject, before: before()? },
        other => return Err(StoreError::corrupt("revocation kind", other)),
    };
    Ok(RevocationEntry {
        organization: Organization::from_trusted(organization),
        revocation,
        expires_at: Timestamp::from_millis(expires_at),
    })
}

/// Deletes up to [`PURGE_BATCH_MAX`] revocations of tokens that have expired by themselves, and returns how many.
pub fn purge(conn: &mut ApimConn, now: Timestamp) -> Result<usize, StoreError> {
    let expired: Vec<String> = oauth_revocations::table
        .filter(oauth_revocations::expires_at.le(RevocationEntry::forgettable(now).as_millis()))
        .order(oauth_revocations::expires_at)
        .limit(PURGE_BATCH_MAX)
        .select(oauth_revocations::id)
        .load(conn.db())?;
    let target = oauth_revocations::table.filter(oauth_revocations::id.eq_any(expired));
    Ok(diesel::delete(target).execute(conn.db())?)
}
