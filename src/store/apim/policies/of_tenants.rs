//! Policies of one tenant or of all.

use diesel::prelude::*;

use super::{StoredPolicy, parse, throttling_policies};
use crate::apim::apis::Page;
use crate::apim::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

/// One page of the policies of the kind by id (those that are called `name`), and how many there are in all.
pub fn list<P: StoredPolicy>(
    conn: &mut ApimConn,
    tenants: &Tenants,
    name: Option<&str>,
    page: Page,
) -> Result<(Vec<P>, i64), StoreError> {
    let filtered = || {
        let mut query = throttling_policies::table.filter(throttling_policies::kind.eq(P::KIND)).into_boxed();
        if let Some(organization) = tenants.only() {
            query = query.filter(throttling_policies::organization.eq(organization));
        }
        if let Some(name) = name {
            query = query.filter(throttling_policies::name.eq(name));
        }
        query
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<String> = filtered()
        .order(throttling_policies::id)
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(throttling_policies::document)
        .load(conn.db())?;
    Ok((rows.iter().map(|row| parse(row)).collect::<Result<_, _>>()?, total))
}
