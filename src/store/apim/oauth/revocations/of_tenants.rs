//! Revocations of one tenant or of all.

use diesel::prelude::*;
use domain::Timestamp;
use domain::runtime::RevocationEntry;

use super::{Row, entry, oauth_revocations};
use crate::apim::apis::Page;
use crate::apim::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

/// One page of the revocations that still matter at `now`, oldest first, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    tenants: &Tenants,
    now: Timestamp,
    page: Page,
) -> Result<(Vec<RevocationEntry>, i64), StoreError> {
    let filtered = || {
        let query = oauth_revocations::table.filter(oauth_revocations::expires_at.gt(now.as_millis())).into_boxed();
        match tenants.only() {
            Some(organization) => query.filter(oauth_revocations::organization.eq(organization)),
            None => query,
        }
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<Row> = filtered()
        .order(oauth_revocations::id)
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(Row::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(entry).collect::<Result<_, _>>()?, total))
}
