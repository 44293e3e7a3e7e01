//! Deny policies: whose calls are refused.

use diesel::prelude::*;
use domain::throttling::{DenyPolicy, DenyTarget};
use domain::{Organization, PolicyId};

use super::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

diesel::table! {
    deny_policies (id) {
        id -> Text,
        organization -> Text,
        target -> Text,
        is_active -> Bool,
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = deny_policies)]
struct DenyPolicyRow {
    id: String,
    organization: String,
    target: String,
    is_active: bool,
}

impl TryFrom<&DenyPolicy> for DenyPolicyRow {
    type Error = StoreError;

    fn try_from(policy: &DenyPolicy) -> Result<Self, StoreError> {
        Ok(Self {
            id: policy.id.to_string(),
            organization: policy.organization.to_string(),
            target: serde_json::to_string(&policy.target).map_err(|error| StoreError::corrupt("deny policy", error))?,
            is_active: policy.is_active,
        })
    }
}

impl TryFrom<DenyPolicyRow> for DenyPolicy {
    type Error = StoreError;

    fn try_from(row: DenyPolicyRow) -> Result<Self, StoreError> {
        let target: DenyTarget =
            serde_json::from_str(&row.target).map_err(|error| StoreError::corrupt("deny policy", error))?;
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("deny policy id", error))?,
            organization: Organization::from_trusted(row.organization),
            target,
            is_active: row.is_active,
        })
    }
}

/// Stores a new one; a conflict when the organization has one with the same target.
pub fn insert(conn: &mut ApimConn, policy: &DenyPolicy) -> Result<(), StoreError> {
    diesel::insert_into(deny_policies::table).values(DenyPolicyRow::try_from(policy)?).execute(conn.db())?;
    Ok(())
}

/// Switches it on or off.
pub fn set_active(conn: &mut ApimConn, id: PolicyId, is_active: bool) -> Result<(), StoreError> {
    diesel::update(deny_policies::table.find(id.to_string()))
        .set(deny_policies::is_active.eq(is_active))
        .execute(conn.db())?;
    Ok(())
}

/// Says whether there was one.
pub fn delete(conn: &mut ApimConn, organization: &Organization, id: PolicyId) -> Result<bool, StoreError> {
    let target = deny_policies::table
        .filter(deny_policies::id.eq(id.to_string()))
        .filter(deny_policies::organization.eq(organization.as_str()));
    Ok(diesel::delete(target).execute(conn.db())? == 1)
}

pub fn find(conn: &mut ApimConn, organization: &Organization, id: PolicyId) -> Result<Option<DenyPolicy>, StoreError> {
    deny_policies::table
        .filter(deny_policies::id.eq(id.to_string()))
        .filter(deny_policies::organization.eq(organization.as_str()))
        .select(DenyPolicyRow::as_select())
        .first(conn.db())
        .optional()?
        .map(DenyPolicy::try_from)
        .transpose()
}

/// How many the organization has.
pub fn count(conn: &mut ApimConn, organization: &Organization) -> Result<i64, StoreError> {
    let own = deny_policies::table.filter(deny_policies::organization.eq(organization.as_str()));
    Ok(own.count().get_result(conn.db())?)
}

/// All of one tenant or of all tenants, by target.
pub fn list(conn: &mut ApimConn, tenants: &Tenants) -> Result<Vec<DenyPolicy>, StoreError> {
    let mut query = deny_policies::table.into_boxed();
    if let Some(organization) = tenants.only() {
        query = query.filter(deny_policies::organization.eq(organization));
    }
    let rows: Vec<DenyPolicyRow> =
        query.order((deny_policies::target, deny_policies::id)).select(DenyPolicyRow::as_select()).load(conn.db())?;
    rows.into_iter().map(DenyPolicy::try_from).collect()
}
