//! `ApplicationKeyMapping`.

use domain::ApplicationId;
use domain::application::{KeyMapping, KeyType};
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationKeyMappingDto {
    application_id: u32,
    /// Not of the schema: numbers may be shared, ids are not.
    #[serde(rename = "applicationUUID")]
    application_uuid: ApplicationId,
    consumer_key: String,
    key_type: KeyType,
    key_manager: String,
}

impl From<KeyMapping> for ApplicationKeyMappingDto {
    fn from(mapping: KeyMapping) -> Self {
        Self {
            application_id: mapping.application_id.number(),
            application_uuid: mapping.application_id,
            consumer_key: mapping.consumer_key,
            key_type: mapping.key_type,
            key_manager: mapping.key_manager,
        }
    }
}
