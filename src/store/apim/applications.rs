//! Applications of the developer portal.

mod of_all_owners;
mod of_tenants;

pub use of_all_owners::list_of_all_owners;
pub use of_tenants::list_of_tenants;

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use domain::application::{Application, TokenType};
use domain::{ApplicationId, Organization, Timestamp};
use serde::{Deserialize, Serialize};

use super::apis::{Direction, Page};
use super::schema::{applications, subscriptions};
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = applications)]
struct ApplicationRow {
    id: String,
    organization: String,
    name: String,
    owner: String,
    throttling_policy: String,
    details: String,
    created_at: i64,
    updated_at: i64,
    row_version: i64,
}

/// What no query looks at.
#[derive(Serialize, Deserialize)]
struct Details {
    description: String,
    token_type: TokenType,
    groups: Vec<String>,
    attributes: serde_json::Map<String, serde_json::Value>,
    visibility: String,
}

impl TryFrom<&Application> for ApplicationRow {
    type Error = StoreError;

    fn try_from(application: &Application) -> Result<Self, StoreError> {
        let details = Details {
            description: application.description.clone(),
            token_type: application.token_type,
            groups: application.groups.clone(),
            attributes: application.attributes.clone(),
            visibility: application.visibility.clone(),
        };
        Ok(Self {
            id: application.id.to_string(),
            organization: application.organization.to_string(),
            name: application.name.clone(),
            owner: application.owner.clone(),
            throttling_policy: application.throttling_policy.clone(),
            details: serde_json::to_string(&details).map_err(|error| StoreError::corrupt("application", error))?,
            created_at: application.created_at.as_millis(),
            updated_at: application.updated_at.as_millis(),
            row_version: application.row_version,
        })
    }
}

impl TryFrom<ApplicationRow> for Application {
    type Error = StoreError;

    fn try_from(row: ApplicationRow) -> Result<Self, StoreError> {
        let details: Details =
            serde_json::from_str(&row.details).map_err(|error| StoreError::corrupt("application", error))?;
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("application id", error))?,
            organization: Organization::from_trusted(row.organization),
            name: row.name,
            owner: row.owner,
            throttling_policy: row.throttling_policy,
            description: details.description,
            token_type: details.token_type,
            groups: details.groups,
            attributes: details.attributes,
            visibility: details.visibility,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            row_version: row.row_version,
        })
    }
}

/// Column of a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Name,
    ThrottlingPolicy,
    CreatedAt,
}

pub fn insert(conn: &mut ApimConn, application: &Application) -> Result<(), StoreError> {
    diesel::insert_into(applications::table).values(ApplicationRow::try_from(application)?).execute(conn.db())?;
    Ok(())
}

/// Stores `application` if the stored row version is still `expected`; says whether it was.
pub fn update(conn: &mut ApimConn, application: &Application, expected: i64) -> Result<bool, StoreError> {
    let row = ApplicationRow::try_from(application)?;
    let target =
        applications::table.filter(applications::id.eq(row.id.clone())).filter(applications::row_version.eq(expected));
    Ok(diesel::update(target).set(row).execute(conn.db())? == 1)
}

/// Deletes the application with its key mappings and subscriptions.
pub fn delete(conn: &mut ApimConn, id: ApplicationId) -> Result<(), StoreError> {
    diesel::delete(applications::table.find(id.to_string())).execute(conn.db())?;
    Ok(())
}

pub fn find(
    conn: &mut ApimConn,
    organization: &Organization,
    id: ApplicationId,
) -> Result<Option<Application>, StoreError> {
    applications::table
        .filter(applications::id.eq(id.to_string()))
        .filter(applications::organization.eq(organization.as_str()))
        .select(ApplicationRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Application::try_from)
        .transpose()
}

/// In any organization, for whoever runs the deployment.
pub fn find_of_any(conn: &mut ApimConn, id: ApplicationId) -> Result<Option<Application>, StoreError> {
    let found = applications::table.find(id.to_string()).select(ApplicationRow::as_select()).first(conn.db());
    found.optional()?.map(Application::try_from).transpose()
}

/// Whether the owner has an application of this name.
pub fn is_name_taken(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: &str,
    name: &str,
) -> Result<bool, StoreError> {
    let count: i64 = applications::table
        .filter(applications::organization.eq(organization.as_str()))
        .filter(applications::owner.eq(owner))
        .filter(applications::name.eq(name))
        .count()
        .get_result(conn.db())?;
    Ok(count > 0)
}

/// As [`find`], and holds the row until the end of the transaction.
pub fn lock(
    conn: &mut ApimConn,
    organization: &Organization,
    id: ApplicationId,
) -> Result<Option<Application>, StoreError> {
    let target = applications::table.find(id.to_string());
    diesel::update(target).set(applications::row_version.eq(applications::row_version)).execute(conn.db())?;
    find(conn, organization, id)
}

/// One page of the owner's applications (all with that name when `name` is given), and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: &str,
    name: Option<&str>,
    (sort, direction): (Sort, Direction),
    page: Page,
) -> Result<(Vec<Application>, i64), StoreError> {
    let filtered = || {
        let mut query = applications::table
            .filter(applications::organization.eq(organization.as_str()))
            .filter(applications::owner.eq(owner))
            .into_boxed();
        if let Some(name) = name {
            query = query.filter(applications::name.eq(name));
        }
        query
    };
    let total = filtered().count().get_result(conn.db())?;
    let query = match (sort, direction) {
        (Sort::Name, Direction::Ascending) => filtered().order((applications::name.asc(), applications::id.asc())),
        (Sort::Name, Direction::Descending) => filtered().order((applications::name.desc(), applications::id.desc())),
        (Sort::ThrottlingPolicy, Direction::Ascending) => {
            filtered().order((applications::throttling_policy.asc(), applications::id.asc()))
        }
        (Sort::ThrottlingPolicy, Direction::Descending) => {
            filtered().order((applications::throttling_policy.desc(), applications::id.desc()))
        }
        (Sort::CreatedAt, Direction::Ascending) => {
            filtered().order((applications::created_at.asc(), applications::id.asc()))
        }
        (Sort::CreatedAt, Direction::Descending) => {
            filtered().order((applications::created_at.desc(), applications::id.desc()))
        }
    };
    let rows: Vec<ApplicationRow> = query
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(ApplicationRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(Application::try_from).collect::<Result<_, _>>()?, total))
}

/// Every application of every organization, for snapshots.
pub fn list_all(conn: &mut ApimConn) -> Result<Vec<Application>, StoreError> {
    let rows: Vec<ApplicationRow> = applications::table.select(ApplicationRow::as_select()).load(conn.db())?;
    rows.into_iter().map(Application::try_from).collect()
}

/// Number of subscriptions of each of `ids`; ids without any are missing.
pub fn count_subscriptions(conn: &mut ApimConn, ids: &[ApplicationId]) -> Result<HashMap<String, i64>, StoreError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, i64)> = subscriptions::table
        .filter(subscriptions::application_id.eq_any(ids))
        .group_by(subscriptions::application_id)
        .select((subscriptions::application_id, diesel::dsl::count_star()))
        .load(conn.db())?;
    Ok(rows.into_iter().collect())
}

/// Those of `ids` that exist.
pub fn find_many(
    conn: &mut ApimConn,
    organization: &Organization,
    ids: impl Iterator<Item = ApplicationId>,
) -> Result<HashMap<ApplicationId, Application>, StoreError> {
    let ids: HashSet<String> = ids.map(|id| id.to_string()).collect();
    let rows: Vec<ApplicationRow> = applications::table
        .filter(applications::organization.eq(organization.as_str()))
        .filter(applications::id.eq_any(ids))
        .select(ApplicationRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(|row| Application::try_from(row).map(|found| (found.id, found))).collect()
}
