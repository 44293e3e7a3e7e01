//! Throttling policies, one document per row.

pub mod of_tenants;

use diesel::prelude::*;
use domain::throttling::{AdvancedPolicy, ApplicationPolicy, CustomRule, SubscriptionPolicy};
use domain::{Organization, PolicyId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::apis::count_with_advanced_policy;
use super::schema::{applications, subscriptions, throttling_policies};
use crate::database::ApimConn;
use crate::error::StoreError;

/// A kind of policy that rows of this table can hold.
pub trait StoredPolicy: Serialize + DeserializeOwned {
    /// The word in the column `kind`.
    const KIND: &'static str;
    fn id(&self) -> PolicyId;
    fn organization(&self) -> &Organization;
    fn name(&self) -> &str;
    /// Number of subscriptions, applications or APIs that use the policy `name`.
    fn usage(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<i64, StoreError>;
}

/// Waits until no other transaction decides on the use of the tenant's advanced policies: an API must not come to name
/// one that is being deleted.
pub fn take_advanced_turn(conn: &mut ApimConn, organization: &Organization) -> Result<(), StoreError> {
    conn.take_turn(&format!("advanced policies of {organization}"))
}

/// What every kind has as fields of these names.
macro_rules! accessors {
    () => {
        fn id(&self) -> PolicyId {
            self.id
        }

        fn organization(&self) -> &Organization {
            &self.organization
        }

        fn name(&self) -> &str {
            &self.name
        }
    };
}

impl StoredPolicy for SubscriptionPolicy {
    const KIND: &'static str = "subscription";

    accessors!();

    fn usage(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<i64, StoreError> {
        let used = subscriptions::table
            .filter(subscriptions::organization.eq(organization.as_str()))
            .filter(subscriptions::throttling_policy.eq(name));
        Ok(used.count().get_result(conn.db())?)
    }
}

impl StoredPolicy for ApplicationPolicy {
    const KIND: &'static str = "application";

    accessors!();

    fn usage(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<i64, StoreError> {
        let used = applications::table
            .filter(applications::organization.eq(organization.as_str()))
            .filter(applications::throttling_policy.eq(name));
        Ok(used.count().get_result(conn.db())?)
    }
}

impl StoredPolicy for AdvancedPolicy {
    const KIND: &'static str = "advanced";

    accessors!();

    fn usage(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<i64, StoreError> {
        take_advanced_turn(conn, organization)?;
        count_with_advanced_policy(conn, organization, name)
    }
}

impl StoredPolicy for CustomRule {
    const KIND: &'static str = "custom";

    accessors!();

    /// Rules hold for calls by themselves; nothing names them.
    fn usage(_conn: &mut ApimConn, _organization: &Organization, _name: &str) -> Result<i64, StoreError> {
        Ok(0)
    }
}

pub fn insert<P: StoredPolicy>(conn: &mut ApimConn, policy: &P) -> Result<(), StoreError> {
    diesel::insert_into(throttling_policies::table)
        .values((
            throttling_policies::id.eq(policy.id().to_string()),
            throttling_policies::organization.eq(policy.organization().as_str()),
            throttling_policies::kind.eq(P::KIND),
            throttling_policies::name.eq(policy.name()),
            throttling_policies::document.eq(document(policy)?),
            throttling_policies::row_version.eq(1_i64),
        ))
        .execute(conn.db())?;
    Ok(())
}

/// Replaces the document; name, kind and organization stay. Says whether the policy existed.
pub fn update<P: StoredPolicy>(conn: &mut ApimConn, policy: &P) -> Result<bool, StoreError> {
    let target = throttling_policies::table
        .filter(throttling_policies::id.eq(policy.id().to_string()))
        .filter(throttling_policies::organization.eq(policy.organization().as_str()))
        .filter(throttling_policies::kind.eq(P::KIND));
    let changed = diesel::update(target)
        .set((
            throttling_policies::document.eq(document(policy)?),
            throttling_policies::row_version.eq(throttling_policies::row_version + 1),
        ))
        .execute(conn.db())?;
    Ok(changed == 1)
}

pub fn delete<P: StoredPolicy>(conn: &mut ApimConn, policy: &P) -> Result<(), StoreError> {
    diesel::delete(throttling_policies::table.find(policy.id().to_string())).execute(conn.db())?;
    Ok(())
}

pub fn find<P: StoredPolicy>(
    conn: &mut ApimConn,
    organization: &Organization,
    id: PolicyId,
) -> Result<Option<P>, StoreError> {
    let found: Option<String> = throttling_policies::table
        .filter(throttling_policies::id.eq(id.to_string()))
        .filter(throttling_policies::organization.eq(organization.as_str()))
        .filter(throttling_policies::kind.eq(P::KIND))
        .select(throttling_policies::document)
        .first(conn.db())
        .optional()?;
    found.as_deref().map(parse).transpose()
}

pub fn find_by_name<P: StoredPolicy>(
    conn: &mut ApimConn,
    organization: &Organization,
    name: &str,
) -> Result<Option<P>, StoreError> {
    let found: Option<String> = throttling_policies::table
        .filter(throttling_policies::organization.eq(organization.as_str()))
        .filter(throttling_policies::kind.eq(P::KIND))
        .filter(throttling_policies::name.eq(name))
        .select(throttling_policies::document)
        .first(conn.db())
        .optional()?;
    found.as_deref().map(parse).transpose()
}

/// How many policies of the kind the organization has.
pub fn count<P: StoredPolicy>(conn: &mut ApimConn, organization: &Organization) -> Result<i64, StoreError> {
    let own = throttling_policies::table
        .filter(throttling_policies::kind.eq(P::KIND))
        .filter(throttling_policies::organization.eq(organization.as_str()));
    Ok(own.count().get_result(conn.db())?)
}

/// All policies of the kind, by name; of every organization when `organization` is `None`.
pub fn list<P: StoredPolicy>(conn: &mut ApimConn, organization: Option<&Organization>) -> Result<Vec<P>, StoreError> {
    let mut query = throttling_policies::table.filter(throttling_policies::kind.eq(P::KIND)).into_boxed();
    if let Some(organization) = organization {
        query = query.filter(throttling_policies::organization.eq(organization.as_str()));
    }
    let rows: Vec<String> =
        query.order(throttling_policies::name).select(throttling_policies::document).load(conn.db())?;
    rows.iter().map(|row| parse(row)).collect()
}

fn document<P: StoredPolicy>(policy: &P) -> Result<String, StoreError> {
    serde_json::to_string(policy).map_err(|error| StoreError::corrupt("throttling policy", error))
}

fn parse<P: StoredPolicy>(document: &str) -> Result<P, StoreError> {
    serde_json::from_str(document).map_err(|error| StoreError::corrupt("throttling policy", error))
}
