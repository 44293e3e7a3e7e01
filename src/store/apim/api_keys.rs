//! API keys of applications.

use diesel::prelude::*;
use domain::api_key::ApiKey;
use domain::application::KeyType;
use domain::{ApplicationId, Organization, Timestamp};

use super::schema::api_keys;
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
struct ApiKeyRow {
    id: String,
    organization: String,
    application_id: String,
    key_type: String,
    name: String,
    hash: String,
    user_name: String,
    restrictions: String,
    created_at: i64,
    expires_at: Option<i64>,
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("API key id", error))?,
            organization: Organization::from_trusted(row.organization),
            application_id: row.application_id.parse().map_err(|error| StoreError::corrupt("application id", error))?,
            key_type: KeyType::parse(&row.key_type).ok_or_else(|| StoreError::corrupt("key type", &row.key_type))?,
            name: row.name,
            hash: row.hash,
            user: row.user_name,
            restrictions: serde_json::from_str(&row.restrictions)
                .map_err(|error| StoreError::corrupt("restrictions of an API key", error))?,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_millis),
        })
    }
}

pub fn insert(conn: &mut ApimConn, key: &ApiKey) -> Result<(), StoreError> {
    let restrictions = serde_json::to_string(&key.restrictions)
        .map_err(|error| StoreError::corrupt("restrictions of an API key", error))?;
    diesel::insert_into(api_keys::table)
        .values(ApiKeyRow {
            id: key.id.to_string(),
            organization: key.organization.to_string(),
            application_id: key.application_id.to_string(),
            key_type: key.key_type.as_str().to_owned(),
            name: key.name.clone(),
            hash: key.hash.clone(),
            user_name: key.user.clone(),
            restrictions,
            created_at: key.created_at.as_millis(),
            expires_at: key.expires_at.map(Timestamp::as_millis),
        })
        .execute(conn.db())?;
    Ok(())
}

/// The application's keys of one type, oldest first.
pub fn list(conn: &mut ApimConn, application_id: ApplicationId, key_type: KeyType) -> Result<Vec<ApiKey>, StoreError> {
    let rows: Vec<ApiKeyRow> = api_keys::table
        .filter(api_keys::application_id.eq(application_id.to_string()))
        .filter(api_keys::key_type.eq(key_type.as_str()))
        .order((api_keys::created_at, api_keys::id))
        .select(ApiKeyRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(ApiKey::try_from).collect()
}

pub fn delete(conn: &mut ApimConn, key: &ApiKey) -> Result<(), StoreError> {
    diesel::delete(api_keys::table.find(key.id.to_string())).execute(conn.db())?;
    Ok(())
}

/// Every key of every organization, for snapshots.
pub fn list_all(conn: &mut ApimConn) -> Result<Vec<ApiKey>, StoreError> {
    let rows: Vec<ApiKeyRow> = api_keys::table.select(ApiKeyRow::as_select()).load(conn.db())?;
    rows.into_iter().map(ApiKey::try_from).collect()
}
