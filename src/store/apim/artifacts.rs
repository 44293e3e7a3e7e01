//! Documents that gateways load, addressed by the SHA-256 of their JSON.

pub mod of_tenants;

use diesel::prelude::*;
use domain::Timestamp;
use domain::runtime::GatewayApi;

use super::schema::artifacts;
use crate::database::ApimConn;
use crate::error::StoreError;

/// The JSON of a document and its SHA-256 in hex.
pub fn seal(artifact: &GatewayApi) -> Result<(String, String), StoreError> {
    let body = serde_json::to_string(artifact).map_err(|error| StoreError::corrupt("artifact", error))?;
    Ok((crate::hash::sha256_hex(body.as_bytes()), body))
}

/// Stores the document unless it is there, and returns its hash.
pub fn put(conn: &mut ApimConn, artifact: &GatewayApi, now: Timestamp) -> Result<String, StoreError> {
    let (hash, body) = seal(artifact)?;
    let stored: Option<String> = artifacts::table.find(&hash).select(artifacts::hash).first(conn.db()).optional()?;
    if stored.is_none() {
        diesel::insert_into(artifacts::table)
            .values((
                artifacts::hash.eq(&hash),
                artifacts::organization.eq(artifact.organization.as_str()),
                artifacts::body.eq(body),
                artifacts::created_at.eq(now.as_millis()),
            ))
            .execute(conn.db())?;
    }
    Ok(hash)
}

/// The JSON text as it was hashed.
pub fn find(conn: &mut ApimConn, hash: &str) -> Result<Option<String>, StoreError> {
    Ok(artifacts::table.find(hash).select(artifacts::body).first(conn.db()).optional()?)
}
