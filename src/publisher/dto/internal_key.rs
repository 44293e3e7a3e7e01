//! `APIKey`.

use domain::oauth::InternalKey;
use serde::Serialize;

/// A key for trying out one API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyDto {
    apikey: String,
    /// Seconds.
    validity_time: i64,
}

impl From<&InternalKey> for ApiKeyDto {
    fn from(key: &InternalKey) -> Self {
        Self { apikey: key.key.expose().clone(), validity_time: key.expires_in }
    }
}
