//! Scopes of one tenant or of all: those that APIs define, and the shared ones.

use std::collections::BTreeMap;

use diesel::prelude::*;
use domain::api::ApiDetails;

use super::{api_scopes, apis};
use crate::apim::apis::Page;
use crate::apim::shared_scopes::shared_scopes;
use crate::apim::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

/// A scope with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DescribedScope {
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// Roles of which a user needs one; empty lets every user have the scope.
    pub roles: Vec<String>,
    /// An API that describes it, unless it is a shared one.
    described_by: Option<String>,
}

/// Organization and name.
type Key = (String, String);

/// One page of the scopes by organization and name (those that are called `name`), and how many there are in all. Of
/// each kind at most `rows_max` rows are read.
pub fn list(
    conn: &mut ApimConn,
    tenants: &Tenants,
    name: Option<&str>,
    page: Page,
    rows_max: u32,
) -> Result<(Vec<DescribedScope>, i64), StoreError> {
    let mut scopes = shared(conn, tenants, name, rows_max)?;
    add_those_of_apis(conn, tenants, name, rows_max, &mut scopes)?;
    let total = i64::try_from(scopes.len()).unwrap_or(i64::MAX);
    let mut wanted: Vec<DescribedScope> =
        scopes.into_values().skip(page.offset as usize).take(page.limit as usize).collect();
    describe(conn, &mut wanted)?;
    Ok((wanted, total))
}

fn shared(
    conn: &mut ApimConn,
    tenants: &Tenants,
    name: Option<&str>,
    rows_max: u32,
) -> Result<BTreeMap<Key, DescribedScope>, StoreError> {
    let mut query = shared_scopes::table.into_boxed();
    if let Some(organization) = tenants.only() {
        query = query.filter(shared_scopes::organization.eq(organization));
    }
    if let Some(name) = name {
        query = query.filter(shared_scopes::name.eq(name));
    }
    let rows: Vec<(String, String, String, String, String)> = query
        .order(shared_scopes::id)
        .limit(i64::from(rows_max))
        .select((
            shared_scopes::organization,
            shared_scopes::name,
            shared_scopes::display_name,
            shared_scopes::description,
            shared_scopes::roles,
        ))
        .load(conn.db())?;
    rows.into_iter()
        .map(|(organization, name, display_name, description, roles)| {
            let roles = parse_roles(&roles)?;
            let scope = DescribedScope { name: name.clone(), display_name, description, roles, described_by: None };
            Ok(((organization, name), scope))
        })
        .collect()
}

fn add_those_of_apis(
    conn: &mut ApimConn,
    tenants: &Tenants,
    name: Option<&str>,
    rows_max: u32,
    scopes: &mut BTreeMap<Key, DescribedScope>,
) -> Result<(), StoreError> {
    let mut query = api_scopes::table.into_boxed();
    if let Some(organization) = tenants.only() {
        query = query.filter(api_scopes::organization.eq(organization));
    }
    if let Some(name) = name {
        query = query.filter(api_scopes::name.eq(name));
    }
    let rows: Vec<(String, String, String, String)> = query
        .order((api_scopes::organization, api_scopes::name, api_scopes::api_id))
        .limit(i64::from(rows_max))
        .select((api_scopes::organization, api_scopes::name, api_scopes::api_id, api_scopes::roles))
        .load(conn.db())?;
    for (organization, name, api_id, roles) in rows {
        let scope = scopes.entry((organization, name.clone())).or_insert_with(|| DescribedScope {
            name,
            described_by: Some(api_id),
            ..DescribedScope::default()
        });
        // Several APIs may define one name, then any of their role lists will do.
        for role in parse_roles(&roles)? {
            if !scope.roles.contains(&role) {
                scope.roles.push(role);
            }
        }
    }
    Ok(())
}

/// Reads what APIs say of the scopes that no shared one describes.
fn describe(conn: &mut ApimConn, scopes: &mut [DescribedScope]) -> Result<(), StoreError> {
    let ids: Vec<&str> = scopes.iter().filter_map(|scope| scope.described_by.as_deref()).collect();
    let rows: Vec<(String, String)> =
        apis::table.filter(apis::id.eq_any(ids)).select((apis::id, apis::details)).load(conn.db())?;
    let mut details = BTreeMap::new();
    for (id, text) in rows {
        let parsed: ApiDetails =
            serde_json::from_str(&text).map_err(|error| StoreError::corrupt("API details", error))?;
        details.insert(id, parsed.scopes);
    }
    for scope in scopes {
        let of_api = scope.described_by.as_ref().and_then(|id| details.get(id));
        if let Some(found) = of_api.and_then(|scopes| scopes.iter().find(|own| own.name == scope.name)) {
            scope.display_name.clone_from(&found.display_name);
            scope.description.clone_from(&found.description);
        }
    }
    Ok(())
}

fn parse_roles(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt("scope roles", error))
}
