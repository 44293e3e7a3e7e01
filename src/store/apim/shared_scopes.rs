//! Scopes that APIs of one organization share.

use diesel::prelude::*;
use domain::scope::shared::SharedScope;
use domain::{Organization, ScopeId, Timestamp};

use super::apis::Page;
use super::schema::api_scopes;
use crate::database::ApimConn;
use crate::error::StoreError;

diesel::table! {
    shared_scopes (id) {
        id -> Text,
        organization -> Text,
        name -> Text,
        display_name -> Text,
        description -> Text,
        roles -> Text,
        created_at -> BigInt,
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = shared_scopes)]
struct ScopeRow {
    id: String,
    organization: String,
    name: String,
    display_name: String,
    description: String,
    roles: String,
    created_at: i64,
}

impl TryFrom<&SharedScope> for ScopeRow {
    type Error = StoreError;

    fn try_from(scope: &SharedScope) -> Result<Self, StoreError> {
        Ok(Self {
            id: scope.id.to_string(),
            organization: scope.organization.to_string(),
            name: scope.name.clone(),
            display_name: scope.display_name.clone(),
            description: scope.description.clone(),
            roles: roles_text(&scope.roles)?,
            created_at: scope.created_at.as_millis(),
        })
    }
}

impl TryFrom<ScopeRow> for SharedScope {
    type Error = StoreError;

    fn try_from(row: ScopeRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("scope id", error))?,
            organization: Organization::from_trusted(row.organization),
            name: row.name,
            display_name: row.display_name,
            description: row.description,
            roles: serde_json::from_str(&row.roles).map_err(|error| StoreError::corrupt("scope roles", error))?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

fn roles_text(roles: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(roles).map_err(|error| StoreError::corrupt("scope roles", error))
}

pub fn insert(conn: &mut ApimConn, scope: &SharedScope) -> Result<(), StoreError> {
    diesel::insert_into(shared_scopes::table).values(ScopeRow::try_from(scope)?).execute(conn.db())?;
    Ok(())
}

/// Stores the changed scope; its roles hold at once for every API that uses it.
pub fn update(conn: &mut ApimConn, scope: &SharedScope) -> Result<(), StoreError> {
    diesel::update(shared_scopes::table.find(scope.id.to_string()))
        .set(ScopeRow::try_from(scope)?)
        .execute(conn.db())?;
    diesel::update(
        api_scopes::table
            .filter(api_scopes::organization.eq(scope.organization.as_str()))
            .filter(api_scopes::name.eq(&scope.name)),
    )
    .set(api_scopes::roles.eq(roles_text(&scope.roles)?))
    .execute(conn.db())?;
    Ok(())
}

pub fn delete(conn: &mut ApimConn, id: ScopeId) -> Result<(), StoreError> {
    diesel::delete(shared_scopes::table.find(id.to_string())).execute(conn.db())?;
    Ok(())
}

pub fn find(conn: &mut ApimConn, organization: &Organization, id: ScopeId) -> Result<Option<SharedScope>, StoreError> {
    shared_scopes::table
        .filter(shared_scopes::id.eq(id.to_string()))
        .filter(shared_scopes::organization.eq(organization.as_str()))
        .select(ScopeRow::as_select())
        .first(conn.db())
        .optional()?
        .map(SharedScope::try_from)
        .transpose()
}

/// Those of `names` that are shared scopes of the organization.
pub fn find_by_names(
    conn: &mut ApimConn,
    organization: &Organization,
    names: &[String],
) -> Result<Vec<SharedScope>, StoreError> {
    let rows: Vec<ScopeRow> = shared_scopes::table
        .filter(shared_scopes::organization.eq(organization.as_str()))
        .filter(shared_scopes::name.eq_any(names))
        .select(ScopeRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(SharedScope::try_from).collect()
}

/// One page of the organization's shared scopes by name, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    organization: &Organization,
    page: Page,
) -> Result<(Vec<SharedScope>, i64), StoreError> {
    let own = || shared_scopes::table.filter(shared_scopes::organization.eq(organization.as_str()));
    let total = own().count().get_result(conn.db())?;
    let rows: Vec<ScopeRow> = own()
        .order(shared_scopes::name)
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(ScopeRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(SharedScope::try_from).collect::<Result<_, _>>()?, total))
}

/// How many APIs define or use a scope of this name.
pub fn count_apis(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<i64, StoreError> {
    Ok(api_scopes::table
        .filter(api_scopes::organization.eq(organization.as_str()))
        .filter(api_scopes::name.eq(name))
        .count()
        .get_result(conn.db())?)
}
