//! OAuth clients of applications.

pub mod of_tenants;

use diesel::prelude::*;
use domain::application::{KeyMapping, KeyMode, KeyType};
use domain::{ApplicationId, KeyMappingId, Organization, Timestamp};

use super::schema::key_mappings;
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = key_mappings)]
struct KeyMappingRow {
    id: String,
    application_id: String,
    organization: String,
    key_type: String,
    key_manager: String,
    consumer_key: String,
    created_at: i64,
    mode: String,
}

impl TryFrom<KeyMappingRow> for KeyMapping {
    type Error = StoreError;

    fn try_from(row: KeyMappingRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("key mapping id", error))?,
            application_id: row.application_id.parse().map_err(|error| StoreError::corrupt("application id", error))?,
            organization: Organization::from_trusted(row.organization),
            key_type: KeyType::parse(&row.key_type).ok_or_else(|| StoreError::corrupt("key type", &row.key_type))?,
            key_manager: row.key_manager,
            consumer_key: row.consumer_key,
            mode: KeyMode::parse(&row.mode).ok_or_else(|| StoreError::corrupt("key mode", &row.mode))?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

pub fn insert(conn: &mut ApimConn, mapping: &KeyMapping) -> Result<(), StoreError> {
    diesel::insert_into(key_mappings::table)
        .values(KeyMappingRow {
            id: mapping.id.to_string(),
            application_id: mapping.application_id.to_string(),
            organization: mapping.organization.to_string(),
            key_type: mapping.key_type.as_str().to_owned(),
            key_manager: mapping.key_manager.clone(),
            consumer_key: mapping.consumer_key.clone(),
            created_at: mapping.created_at.as_millis(),
            mode: mapping.mode.as_str().to_owned(),
        })
        .execute(conn.db())?;
    Ok(())
}

/// Says whether the mapping existed.
pub fn delete(conn: &mut ApimConn, id: KeyMappingId) -> Result<bool, StoreError> {
    Ok(diesel::delete(key_mappings::table.find(id.to_string())).execute(conn.db())? == 1)
}

pub fn find(
    conn: &mut ApimConn,
    application_id: ApplicationId,
    id: KeyMappingId,
) -> Result<Option<KeyMapping>, StoreError> {
    key_mappings::table
        .filter(key_mappings::id.eq(id.to_string()))
        .filter(key_mappings::application_id.eq(application_id.to_string()))
        .select(KeyMappingRow::as_select())
        .first(conn.db())
        .optional()?
        .map(KeyMapping::try_from)
        .transpose()
}

/// The application's mappings, production first.
pub fn list(conn: &mut ApimConn, application_id: ApplicationId) -> Result<Vec<KeyMapping>, StoreError> {
    let rows: Vec<KeyMappingRow> = key_mappings::table
        .filter(key_mappings::application_id.eq(application_id.to_string()))
        .order((key_mappings::key_type, key_mappings::key_manager))
        .select(KeyMappingRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(KeyMapping::try_from).collect()
}

/// Every mapping of every organization, for snapshots.
pub fn list_all(conn: &mut ApimConn) -> Result<Vec<KeyMapping>, StoreError> {
    let rows: Vec<KeyMappingRow> = key_mappings::table.select(KeyMappingRow::as_select()).load(conn.db())?;
    rows.into_iter().map(KeyMapping::try_from).collect()
}
