//! Tags of APIs as they are written, and how many APIs carry each. The search index has them folded.

use std::collections::BTreeSet;

use diesel::dsl::{count, count_star};
use diesel::prelude::*;
use domain::Organization;
use domain::api::Api;
use domain::lifecycle::LifecycleState;
use serde_json::Value;

use super::apis::{Audience, Page, seen_by};
use super::schema::{api_tags, apis};
use crate::database::ApimConn;
use crate::error::StoreError;

/// Most characters of a tag that is counted; what is longer is no label.
const TAG_CHARS_MAX: usize = 500;

/// Replaces the rows of `api`.
pub(super) fn replace(conn: &mut ApimConn, api: &Api) -> Result<(), StoreError> {
    let id = api.id.to_string();
    diesel::delete(api_tags::table.filter(api_tags::api_id.eq(&id))).execute(conn.db())?;
    let written = api.details.other.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags: BTreeSet<String> = written.filter_map(Value::as_str).map(as_label).collect();
    for tag in tags {
        diesel::insert_into(api_tags::table)
            .values((
                api_tags::organization.eq(api.organization.as_str()),
                api_tags::tag.eq(tag),
                api_tags::api_id.eq(&id),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

/// Without control characters, which databases do not all take.
fn as_label(tag: &str) -> String {
    tag.chars().take(TAG_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One page of the tags, in their order, with the number of APIs that carry each, are in one of `states` and are for the
/// eyes of `audience`; and how many such tags there are in all.
pub fn list(
    conn: &mut ApimConn,
    organization: &Organization,
    (states, audience): (&[LifecycleState], &Audience),
    page: Page,
) -> Result<(Vec<(String, i64)>, i64), StoreError> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let (open, roles) = audience.visibilities_and_roles();
    let visible = || {
        api_tags::table
            .inner_join(apis::table)
            .filter(api_tags::organization.eq(organization.as_str()))
            .filter(apis::state.eq_any(&states))
            .filter(seen_by(open, roles))
    };
    let total = visible().select(count(api_tags::tag).aggregate_distinct()).first(conn.db())?;
    let counts = visible()
        .group_by(api_tags::tag)
        .select((api_tags::tag, count_star()))
        .order(api_tags::tag.asc())
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .load(conn.db())?;
    Ok((counts, total))
}
