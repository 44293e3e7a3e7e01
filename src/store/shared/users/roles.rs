//! Roles of an organization.

use diesel::prelude::*;
use domain::{Organization, Timestamp};

use super::schema::roles;
use crate::database::SharedConn;
use crate::error::StoreError;

/// Makes the role unless it exists.
pub(super) fn ensure(
    conn: &mut SharedConn,
    organization: &Organization,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stored: Option<String> =
        roles::table.find((organization.as_str(), name)).select(roles::name).first(conn.db()).optional()?;
    if stored.is_some() {
        return Ok(());
    }
    diesel::insert_into(roles::table)
        .values((
            roles::organization.eq(organization.as_str()),
            roles::name.eq(name),
            roles::created_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}
