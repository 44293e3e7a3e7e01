//! Users who have looked at their applications before, so that what everybody gets once is given once.

use diesel::prelude::*;
use domain::{Organization, Timestamp};

use super::schema::subscribers;
use crate::database::ApimConn;
use crate::error::StoreError;

pub fn is_known(conn: &mut ApimConn, organization: &Organization, username: &str) -> Result<bool, StoreError> {
    let found: Option<i64> = subscribers::table
        .find((organization.as_str(), username))
        .select(subscribers::first_seen_at)
        .first(conn.db())
        .optional()?;
    Ok(found.is_some())
}

/// A user who is known already is a [`StoreError::Conflict`].
pub fn insert(
    conn: &mut ApimConn,
    organization: &Organization,
    username: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(subscribers::table)
        .values((
            subscribers::organization.eq(organization.as_str()),
            subscribers::user_name.eq(username),
            subscribers::first_seen_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}
