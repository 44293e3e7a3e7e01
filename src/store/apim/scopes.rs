//! Scopes that APIs define, as the token service needs them.

pub mod of_tenants;

use diesel::prelude::*;
use domain::Organization;

use super::schema::{api_scopes, apis};
use crate::database::ApimConn;
use crate::error::StoreError;

/// A registered scope; several APIs may define one name, then any of their role lists will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredScope {
    pub name: String,
    /// Roles of which a user needs one; empty lets every user have the scope.
    pub roles: Vec<String>,
}

/// Those of `names` that the organization has registered.
pub fn find_many(
    conn: &mut ApimConn,
    organization: &Organization,
    names: &[String],
) -> Result<Vec<RegisteredScope>, StoreError> {
    let rows: Vec<(String, String)> = api_scopes::table
        .filter(api_scopes::organization.eq(organization.as_str()))
        .filter(api_scopes::name.eq_any(names))
        .select((api_scopes::name, api_scopes::roles))
        .load(conn.db())?;
    rows.into_iter()
        .map(|(name, roles)| {
            let roles = serde_json::from_str(&roles).map_err(|error| StoreError::corrupt("scope roles", error))?;
            Ok(RegisteredScope { name, roles })
        })
        .collect()
}

/// One of `names` that an API of another name defines; versions of one API share their scopes.
pub fn find_of_other_name(
    conn: &mut ApimConn,
    organization: &Organization,
    api_name: &str,
    names: &[String],
) -> Result<Option<String>, StoreError> {
    let others = apis::table
        .filter(apis::organization.eq(organization.as_str()))
        .filter(apis::name.ne(api_name))
        .select(apis::id);
    Ok(api_scopes::table
        .filter(api_scopes::organization.eq(organization.as_str()))
        .filter(api_scopes::name.eq_any(names))
        .filter(api_scopes::api_id.eq_any(others))
        .select(api_scopes::name)
        .first(conn.db())
        .optional()?)
}
