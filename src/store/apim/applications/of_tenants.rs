//! Applications of one tenant or of all.

use diesel::prelude::*;
use domain::application::Application;
use domain::{ApplicationId, Reference};

use super::ApplicationRow;
use crate::apim::apis::Page;
use crate::apim::schema::applications;
use crate::apim::tenants::{Tenants, ids_with_number};
use crate::database::ApimConn;
use crate::error::StoreError;

/// One page of the applications by id (those that `named` names), and how many there are in all.
pub fn list_of_tenants(
    conn: &mut ApimConn,
    tenants: &Tenants,
    named: Option<Reference<ApplicationId>>,
    page: Page,
) -> Result<(Vec<Application>, i64), StoreError> {
    let filtered = || {
        let mut query = applications::table.into_boxed();
        if let Some(organization) = tenants.only() {
            query = query.filter(applications::organization.eq(organization));
        }
        match named {
            None => query,
            Some(Reference::Id(id)) => query.filter(applications::id.eq(id.to_string())),
            Some(Reference::Number(number)) => {
                let [low, high] = ids_with_number(number);
                query.filter(applications::id.like(low).or(applications::id.like(high)))
            }
        }
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<ApplicationRow> = filtered()
        .order(applications::id)
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(ApplicationRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(Application::try_from).collect::<Result<_, _>>()?, total))
}
