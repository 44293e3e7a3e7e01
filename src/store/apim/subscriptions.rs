//! Subscriptions.

pub mod of_apis;
pub mod of_tenants;

use diesel::prelude::*;
use domain::subscription::{Subscription, SubscriptionState};
use domain::{ApiId, ApplicationId, Organization, SubscriptionId, Timestamp};

use super::apis::Page;
use super::schema::{applications, subscriptions};
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = subscriptions)]
struct SubscriptionRow {
    id: String,
    organization: String,
    api_id: String,
    application_id: String,
    throttling_policy: String,
    state: String,
    created_at: i64,
}

impl TryFrom<SubscriptionRow> for Subscription {
    type Error = StoreError;

    fn try_from(row: SubscriptionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("subscription id", error))?,
            organization: Organization::from_trusted(row.organization),
            api_id: row.api_id.parse().map_err(|error| StoreError::corrupt("API id", error))?,
            application_id: row.application_id.parse().map_err(|error| StoreError::corrupt("application id", error))?,
            throttling_policy: row.throttling_policy,
            state: SubscriptionState::parse(&row.state)
                .ok_or_else(|| StoreError::corrupt("subscription state", &row.state))?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

/// Which of an owner's subscriptions a list shows.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    Api(ApiId),
    Application(ApplicationId),
}

pub fn insert(conn: &mut ApimConn, subscription: &Subscription) -> Result<(), StoreError> {
    diesel::insert_into(subscriptions::table)
        .values(SubscriptionRow {
            id: subscription.id.to_string(),
            organization: subscription.organization.to_string(),
            api_id: subscription.api_id.to_string(),
            application_id: subscription.application_id.to_string(),
            throttling_policy: subscription.throttling_policy.clone(),
            state: subscription.state.as_str().to_owned(),
            created_at: subscription.created_at.as_millis(),
        })
        .execute(conn.db())?;
    Ok(())
}

pub fn delete(conn: &mut ApimConn, id: SubscriptionId) -> Result<(), StoreError> {
    diesel::delete(subscriptions::table.find(id.to_string())).execute(conn.db())?;
    Ok(())
}

/// Gives the subscription another policy; says whether it exists.
pub fn set_throttling_policy(conn: &mut ApimConn, id: SubscriptionId, policy: &str) -> Result<bool, StoreError> {
    let target = subscriptions::table.find(id.to_string());
    Ok(diesel::update(target).set(subscriptions::throttling_policy.eq(policy)).execute(conn.db())? == 1)
}

/// The subscription if its application belongs to `owner`.
/// In any organization, for whoever runs the deployment.
pub fn find(conn: &mut ApimConn, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
    let found = subscriptions::table.find(id.to_string()).select(SubscriptionRow::as_select()).first(conn.db());
    found.optional()?.map(Subscription::try_from).transpose()
}

pub fn find_owned(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: &str,
    id: SubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    subscriptions::table
        .inner_join(applications::table)
        .filter(subscriptions::id.eq(id.to_string()))
        .filter(subscriptions::organization.eq(organization.as_str()))
        .filter(applications::owner.eq(owner))
        .select(SubscriptionRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Subscription::try_from)
        .transpose()
}

/// One page of the owner's subscriptions, oldest first, and how many there are in all.
pub fn list_owned(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: &str,
    of: Of,
    page: Page,
) -> Result<(Vec<Subscription>, i64), StoreError> {
    let filtered = || {
        let query = subscriptions::table
            .inner_join(applications::table)
            .filter(subscriptions::organization.eq(organization.as_str()))
            .filter(applications::owner.eq(owner))
            .into_boxed();
        match of {
            Of::Api(id) => query.filter(subscriptions::api_id.eq(id.to_string())),
            Of::Application(id) => query.filter(subscriptions::application_id.eq(id.to_string())),
        }
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<SubscriptionRow> = filtered()
        .order((subscriptions::created_at, subscriptions::id))
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(SubscriptionRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(Subscription::try_from).collect::<Result<_, _>>()?, total))
}

/// All subscriptions of one application.
pub fn list_of_application(conn: &mut ApimConn, id: ApplicationId) -> Result<Vec<Subscription>, StoreError> {
    let rows: Vec<SubscriptionRow> = subscriptions::table
        .filter(subscriptions::application_id.eq(id.to_string()))
        .select(SubscriptionRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(Subscription::try_from).collect()
}

/// Whether the application is subscribed to the API.
pub fn exists(conn: &mut ApimConn, api_id: ApiId, application_id: ApplicationId) -> Result<bool, StoreError> {
    let count: i64 = subscriptions::table
        .filter(subscriptions::api_id.eq(api_id.to_string()))
        .filter(subscriptions::application_id.eq(application_id.to_string()))
        .count()
        .get_result(conn.db())?;
    Ok(count > 0)
}

pub fn count_of_api(conn: &mut ApimConn, id: ApiId) -> Result<i64, StoreError> {
    Ok(subscriptions::table.filter(subscriptions::api_id.eq(id.to_string())).count().get_result(conn.db())?)
}

/// Every subscription of every organization, for snapshots.
pub fn list_all(conn: &mut ApimConn) -> Result<Vec<Subscription>, StoreError> {
    let rows: Vec<SubscriptionRow> = subscriptions::table.select(SubscriptionRow::as_select()).load(conn.db())?;
    rows.into_iter().map(Subscription::try_from).collect()
}
