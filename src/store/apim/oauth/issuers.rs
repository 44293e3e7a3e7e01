//! Token issuers that gateways trust, with the keys that their tokens may be signed by.

use diesel::prelude::*;
use domain::event::Event;
use domain::runtime::TrustedIssuer;
use domain::{Organization, Timestamp};

use super::schema::oauth_issuers;
use super::signing_keys;
use crate::database::ApimConn;
use crate::error::StoreError;

/// Makes the issuer known under `name`, or changes its `iss`; a change is announced. Says whether there was one. When
/// another transaction makes it known at the same time, one of the two is a [`StoreError::Conflict`].
pub fn ensure(
    conn: &mut ApimConn,
    organization: &Organization,
    name: &str,
    issuer: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let target = || oauth_issuers::table.find((organization.as_str(), name));
    let stored: Option<String> = target().select(oauth_issuers::issuer).first(conn.db()).optional()?;
    match stored {
        Some(stored) if stored == issuer => return Ok(false),
        Some(_) => {
            diesel::update(target())
                .set((oauth_issuers::issuer.eq(issuer), oauth_issuers::updated_at.eq(now.as_millis())))
                .execute(conn.db())?;
        }
        None => {
            diesel::insert_into(oauth_issuers::table)
                .values((
                    oauth_issuers::organization.eq(organization.as_str()),
                    oauth_issuers::name.eq(name),
                    oauth_issuers::issuer.eq(issuer),
                    oauth_issuers::is_enabled.eq(true),
                    oauth_issuers::updated_at.eq(now.as_millis()),
                ))
                .execute(conn.db())?;
        }
    }
    announce(conn, organization, now)?;
    Ok(true)
}

/// Makes other transactions that take this lock for the organization wait until this one ends.
pub fn lock(conn: &mut ApimConn, organization: &Organization) -> Result<(), StoreError> {
    let rows = oauth_issuers::table.filter(oauth_issuers::organization.eq(organization.as_str()));
    diesel::update(rows).set(oauth_issuers::updated_at.eq(oauth_issuers::updated_at)).execute(conn.db())?;
    Ok(())
}

/// Tells the gateways the organization's issuers with their present key set, as part of this transaction.
pub fn announce(conn: &mut ApimConn, organization: &Organization, now: Timestamp) -> Result<(), StoreError> {
    for issuer in of_organization(conn, organization, now)? {
        conn.append(now, Event::IssuerUpdated(issuer));
    }
    Ok(())
}

/// Every issuer of every organization, for snapshots.
pub fn list_trusted(conn: &mut ApimConn, now: Timestamp) -> Result<Vec<TrustedIssuer>, StoreError> {
    let organizations: Vec<String> = oauth_issuers::table
        .select(oauth_issuers::organization)
        .distinct()
        .order(oauth_issuers::organization)
        .load(conn.db())?;
    let mut issuers = Vec::with_capacity(organizations.len());
    for organization in organizations {
        issuers.extend(of_organization(conn, &Organization::from_trusted(organization), now)?);
    }
    Ok(issuers)
}

/// The organization's issuers.
pub fn of_organization(
    conn: &mut ApimConn,
    organization: &Organization,
    now: Timestamp,
) -> Result<Vec<TrustedIssuer>, StoreError> {
    let keys = signing_keys::list_published(conn, organization, now)?;
    let jwks = serde_json::json!({ "keys": keys.into_iter().map(|key| key.public_jwk).collect::<Vec<_>>() });
    let rows: Vec<(String, String, bool)> = oauth_issuers::table
        .filter(oauth_issuers::organization.eq(organization.as_str()))
        .order(oauth_issuers::name)
        .select((oauth_issuers::name, oauth_issuers::issuer, oauth_issuers::is_enabled))
        .load(conn.db())?;
    Ok(rows
        .into_iter()
        .map(|(name, issuer, enabled)| TrustedIssuer {
            organization: organization.clone(),
            name,
            issuer,
            enabled,
            jwks: jwks.clone(),
        })
        .collect())
}
