//! History of lifecycle changes.

use diesel::prelude::*;
use domain::lifecycle::LifecycleState;
use domain::{ApiId, EventId, Organization, Timestamp};

use super::schema::lifecycle_events;
use crate::database::ApimConn;
use crate::error::StoreError;

/// One change of state; `previous` is `None` for the creation.
#[derive(Debug, Clone)]
pub struct LifecycleEvent {
    pub api_id: ApiId,
    pub organization: Organization,
    pub previous: Option<LifecycleState>,
    pub new: LifecycleState,
    pub user: String,
    pub at: Timestamp,
}

pub fn insert(conn: &mut ApimConn, event: &LifecycleEvent) -> Result<(), StoreError> {
    diesel::insert_into(lifecycle_events::table)
        .values((
            lifecycle_events::id.eq(EventId::random().to_string()),
            lifecycle_events::api_id.eq(event.api_id.to_string()),
            lifecycle_events::organization.eq(event.organization.as_str()),
            lifecycle_events::previous_state.eq(event.previous.map(LifecycleState::as_str)),
            lifecycle_events::new_state.eq(event.new.as_str()),
            lifecycle_events::user_name.eq(&event.user),
            lifecycle_events::at.eq(event.at.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}

/// The API's changes of state, oldest first.
pub fn list(conn: &mut ApimConn, api_id: ApiId) -> Result<Vec<LifecycleEvent>, StoreError> {
    type Row = (String, Option<String>, String, String, i64);
    let rows: Vec<Row> = lifecycle_events::table
        .filter(lifecycle_events::api_id.eq(api_id.to_string()))
        .order((lifecycle_events::at, lifecycle_events::id))
        .select((
            lifecycle_events::organization,
            lifecycle_events::previous_state,
            lifecycle_events::new_state,
            lifecycle_events::user_name,
            lifecycle_events::at,
        ))
        .load(conn.db())?;
    let state = |text: &str| LifecycleState::parse(text).ok_or_else(|| StoreError::corrupt("lifecycle state", text));
    rows.into_iter()
        .map(|(organization, previous, new, user, at)| {
            Ok(LifecycleEvent {
                api_id,
                organization: Organization::from_trusted(organization),
                previous: previous.as_deref().map(state).transpose()?,
                new: state(&new)?,
                user,
                at: Timestamp::from_millis(at),
            })
        })
        .collect()
}
