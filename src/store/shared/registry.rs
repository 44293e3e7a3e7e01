//! The registry: uploaded content byte for byte, immutable, addressed by its SHA-256. Content is written before the
//! `apim_db` row that refers to it, so no transaction spans both databases; what nothing refers to is an orphan.

use diesel::prelude::*;
use domain::{Organization, Timestamp};

use crate::database::{SharedConn, SharedDb};
use crate::error::StoreError;
use crate::hash::sha256_hex;

diesel::table! {
    registry_content (organization, hash) {
        organization -> Text,
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
pub async fn put(
    db: &SharedDb,
    organization: &Organization,
    media_type: &str,
    body: Vec<u8>,
    now: Timestamp,
) -> Result<String, StoreError> {
    let hash = sha256_hex(&body);
    let (organization, key, content) =
        (organization.clone(), hash.clone(), Content { media_type: media_type.to_owned(), body });
    let outcome: Result<(), StoreError> =
        db.write(move |conn| insert_if_absent(conn, &organization, &key, &content, now)).await;
    match outcome {
        // Somebody else stored the same content at the same time.
        Ok(()) | Err(StoreError::Conflict { .. }) => Ok(hash),
        Err(error) => Err(error),
    }
}

fn insert_if_absent(
    conn: &mut SharedConn,
    organization: &Organization,
    hash: &str,
    content: &Content,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = (organization.as_str(), hash);
    let stored: Option<String> =
        registry_content::table.find(key).select(registry_content::hash).first(conn.db()).optional()?;
    if stored.is_some() {
        return Ok(());
    }
    diesel::insert_into(registry_content::table)
        .values((
            registry_content::organization.eq(organization.as_str()),
            registry_content::hash.eq(hash),
            registry_content::media_type.eq(&content.media_type),
            registry_content::body.eq(&content.body),
            registry_content::created_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}

pub fn find(conn: &mut SharedConn, organization: &Organization, hash: &str) -> Result<Option<Content>, StoreError> {
    let row: Option<(String, Vec<u8>)> = registry_content::table
        .find((organization.as_str(), hash))
        .select((registry_content::media_type, registry_content::body))
        .first(conn.db())
        .optional()?;
    Ok(row.map(|(media_type, body)| Content { media_type, body }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Database, OpenOptions, Shared, Timeouts, migrate};

    #[tokio::test]
    async fn content_comes_back_byte_for_byte_and_to_its_organization_only() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("shared.db").display());
        migrate::run::<Shared>(&url).unwrap();
        let options =
            OpenOptions { url, pool_size: 1, acquire_timeout: Duration::from_secs(5), timeouts: Timeouts::default() };
        let db: SharedDb = Database::open(&options, &tokio::runtime::Handle::current()).unwrap();
        let body = b"openapi: 3.0.1\r\n# \xf0\x9f\x8d\x95, a comment \t\n\n".to_vec();
        let own = Organization::super_tenant();
        let put = async || registry_put(&db, &own, body.clone()).await;
        let hash = put().await;
        assert_eq!(hash, put().await, "the same content has the same address");
        let other = Organization::from_trusted("other.example".to_owned());
        let found = async |organization: Organization| {
            let hash = hash.clone();
            db.read(move |conn| find(conn, &organization, &hash)).await.unwrap()
        };
        assert_eq!(found(own.clone()).await.unwrap().body, body);
        assert_eq!(found(other).await, None);
    }

    async fn registry_put(db: &SharedDb, organization: &Organization, body: Vec<u8>) -> String {
        put(db, organization, "application/yaml", body, Timestamp::from_secs(1)).await.unwrap()
    }
}
