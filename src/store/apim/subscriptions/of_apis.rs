//! Subscriptions as the owners of APIs see them: whosever the applications are.

use diesel::prelude::*;
use domain::subscription::{Subscription, SubscriptionState};
use domain::{ApiId, Organization, SubscriptionId};

use super::{SubscriptionRow, subscriptions};
use crate::apim::apis::{Page, contains_pattern};
use crate::apim::schema::applications;
use crate::database::ApimConn;
use crate::error::StoreError;

/// Which subscriptions a list shows; empty shows all of the organization.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub api_id: Option<ApiId>,
    /// Part of the application's name.
    pub application_contains: Option<String>,
}

/// One page of the organization's subscriptions, oldest first, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    organization: &Organization,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Subscription>, i64), StoreError> {
    let filtered = || {
        let mut query = subscriptions::table
            .inner_join(applications::table)
            .filter(subscriptions::organization.eq(organization.as_str()))
            .into_boxed();
        if let Some(id) = filter.api_id {
            query = query.filter(subscriptions::api_id.eq(id.to_string()));
        }
        if let Some(part) = &filter.application_contains {
            query = query.filter(applications::name.like(contains_pattern(part)).escape('\\'));
        }
        query
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

/// All subscriptions to one API, oldest first.
pub fn list_of_api(conn: &mut ApimConn, id: ApiId) -> Result<Vec<Subscription>, StoreError> {
    let rows: Vec<SubscriptionRow> = subscriptions::table
        .filter(subscriptions::api_id.eq(id.to_string()))
        .order((subscriptions::created_at, subscriptions::id))
        .select(SubscriptionRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(Subscription::try_from).collect()
}

pub fn find(
    conn: &mut ApimConn,
    organization: &Organization,
    id: SubscriptionId,
) -> Result<Option<Subscription>, StoreError> {
    subscriptions::table
        .filter(subscriptions::id.eq(id.to_string()))
        .filter(subscriptions::organization.eq(organization.as_str()))
        .select(SubscriptionRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Subscription::try_from)
        .transpose()
}

pub fn set_state(conn: &mut ApimConn, id: SubscriptionId, state: SubscriptionState) -> Result<(), StoreError> {
    diesel::update(subscriptions::table.find(id.to_string()))
        .set(subscriptions::state.eq(state.as_str()))
        .execute(conn.db())?;
    Ok(())
}
