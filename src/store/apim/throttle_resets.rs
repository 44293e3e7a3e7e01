//! Counts of applications' users that were started anew.

use diesel::prelude::*;
use domain::throttling::ThrottleReset;
use domain::{ApplicationId, Organization};

use crate::database::ApimConn;
use crate::error::StoreError;

diesel::table! {
    throttle_resets (application_id, user_name) {
        application_id -> Text,
        user_name -> Text,
        organization -> Text,
        generation -> BigInt,
    }
}

/// Notes one more reset and returns it. The caller holds the application's lock.
pub fn add(
    conn: &mut ApimConn,
    organization: &Organization,
    application_id: ApplicationId,
    user: &str,
) -> Result<ThrottleReset, StoreError> {
    let id = application_id.to_string();
    let row = throttle_resets::table.find((&id, user));
    let next = throttle_resets::generation.eq(throttle_resets::generation + 1);
    if diesel::update(row).set(next).execute(conn.db())? == 0 {
        diesel::insert_into(throttle_resets::table)
            .values((
                throttle_resets::application_id.eq(&id),
                throttle_resets::user_name.eq(user),
                throttle_resets::organization.eq(organization.as_str()),
                throttle_resets::generation.eq(1),
            ))
            .execute(conn.db())?;
    }
    let generation: i64 = row.select(throttle_resets::generation).first(conn.db())?;
    Ok(ThrottleReset {
        organization: organization.clone(),
        application_id,
        user: user.to_owned(),
        generation: u64::try_from(generation).unwrap_or_default(),
    })
}

/// How often the counts of the application's user were started anew.
pub fn generation(conn: &mut ApimConn, application_id: ApplicationId, user: &str) -> Result<u64, StoreError> {
    let row = throttle_resets::table.find((application_id.to_string(), user));
    let found: Option<i64> = row.select(throttle_resets::generation).first(conn.db()).optional()?;
    Ok(found.map_or(0, |generation| u64::try_from(generation).unwrap_or_default()))
}

/// Users of the application whose counts were ever started anew.
pub fn count(conn: &mut ApimConn, application_id: ApplicationId) -> Result<i64, StoreError> {
    let own = throttle_resets::table.filter(throttle_resets::application_id.eq(application_id.to_string()));
    Ok(own.count().get_result(conn.db())?)
}

/// Of every organization, for snapshots.
pub fn list_all(conn: &mut ApimConn) -> Result<Vec<ThrottleReset>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = throttle_resets::table.load(conn.db())?;
    rows.into_iter()
        .map(|(application_id, user, organization, generation)| {
            Ok(ThrottleReset {
                organization: Organization::from_trusted(organization),
                application_id: application_id.parse().map_err(|error| StoreError::corrupt("application id", error))?,
                user,
                generation: u64::try_from(generation).map_err(|error| StoreError::corrupt("generation", error))?,
            })
        })
        .collect()
}
