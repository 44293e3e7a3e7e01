//! Subscriptions of one tenant or of all.

use diesel::prelude::*;
use domain::subscription::Subscription;
use domain::{ApiId, ApplicationId, Reference};

use super::{SubscriptionRow, subscriptions};
use crate::apim::apis::Page;
use crate::apim::tenants::{Tenants, ids_with_number};
use crate::database::ApimConn;
use crate::error::StoreError;

/// Which subscriptions a list shows; empty shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub api: Option<Reference<ApiId>>,
    pub application: Option<Reference<ApplicationId>>,
}

/// One page of the subscriptions by id, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    tenants: &Tenants,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Subscription>, i64), StoreError> {
    let filtered = || {
        let mut query = subscriptions::table.into_boxed();
        if let Some(organization) = tenants.only() {
            query = query.filter(subscriptions::organization.eq(organization));
        }
        match filter.api {
            None => {}
            Some(Reference::Id(id)) => query = query.filter(subscriptions::api_id.eq(id.to_string())),
            Some(Reference::Number(number)) => {
                let [low, high] = ids_with_number(number);
                query = query.filter(subscriptions::api_id.like(low).or(subscriptions::api_id.like(high)));
            }
        }
        match filter.application {
            None => query,
            Some(Reference::Id(id)) => query.filter(subscriptions::application_id.eq(id.to_string())),
            Some(Reference::Number(number)) => {
                let [low, high] = ids_with_number(number);
                query.filter(subscriptions::application_id.like(low).or(subscriptions::application_id.like(high)))
            }
        }
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<SubscriptionRow> = filtered()
        .order(subscriptions::id)
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(SubscriptionRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(Subscription::try_from).collect::<Result<_, _>>()?, total))
}
