//! Lists over all owners.

use diesel::prelude::*;
use domain::Organization;
use domain::application::Application;

use super::ApplicationRow;
use crate::apim::apis::Page;
use crate::apim::schema::applications;
use crate::database::ApimConn;
use crate::error::StoreError;

/// One page of the organization's applications by name (those of `owner`, those named `name`), and how many there are.
pub fn list_of_all_owners(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: Option<&str>,
    name: Option<&str>,
    page: Page,
) -> Result<(Vec<Application>, i64), StoreError> {
    let filtered = || {
        let mut query = applications::table.filter(applications::organization.eq(organization.as_str())).into_boxed();
        if let Some(owner) = owner {
            query = query.filter(applications::owner.eq(owner));
        }
        if let Some(name) = name {
            query = query.filter(applications::name.eq(name));
        }
        query
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<ApplicationRow> = filtered()
        .order((applications::name.asc(), applications::id.asc()))
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(ApplicationRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(Application::try_from).collect::<Result<_, _>>()?, total))
}
