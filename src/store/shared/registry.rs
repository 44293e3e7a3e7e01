//! The registry: uploaded content byte for byte, immutable, addressed by its SHA-256. Content is written before the
//! `apim_db` row that refers to it, so no transaction spans both databases; what nothing refers to is an orphan.

use diesel::prelude::*;
use domain::Timestamp;

use crate::database::{SharedConn, SharedDb};
use crate::error::StoreError;
use crate::hash::sha256_hex;

diesel::table! {
    registry_content (hash) {
        hash -> Text,
        media_type -> Text,
        body -> Binary,
        created_at -> BigInt,
    }
}

/// Stored content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub media_type: String,
    pub body: Vec<u8>,
}

/// Stores `body` unless it is there, and returns its hash.
pub async fn put(db: &SharedDb, media_type: &str, body: Vec<u8>, now: Timestamp) -> Result<String, StoreError> {
    let hash = sha256_hex(&body);
    let (key, media_type) = (hash.clone(), media_type.to_owned());
    let outcome: Result<(), StoreError> =
        db.write(move |conn| insert_if_absent(conn, &key, &media_type, &body, now)).await;
    match outcome {
        // Somebody else stored the same content at the same time.
        Ok(()) | Err(StoreError::Conflict { .. }) => Ok(hash),
        Err(error) => Err(error),
    }
}

fn insert_if_absent(
    conn: &mut SharedConn,
    hash: &str,
    media_type: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let stored: Option<String> =
        registry_content::table.find(hash).select(registry_content::hash).first(conn.db()).optional()?;
    if stored.is_some() {
        return Ok(());
    }
    diesel::insert_into(registry_content::table)
        .values((
            registry_content::hash.eq(hash),
            registry_content::media_type.eq(media_type),
            registry_content::body.eq(body),
            registry_content::created_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}

pub fn find(conn: &mut SharedConn, hash: &str) -> Result<Option<Content>, StoreError> {
    let row: Option<(String, Vec<u8>)> = registry_content::table
        .find(hash)
        .select((registry_content::media_type, registry_content::body))
        .first(conn.db())
        .optional()?;
    Ok(row.map(|(media_type, body)| Content { media_type, body }))
}
