//! Which key of which application a path names.

use control_plane::keys::KeyRef;
use serde::Deserialize;

/// `{applicationId}` with `{keyMappingId}` or `{keyType}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPath {
    pub application_id: String,
    key_mapping_id: Option<String>,
    key_type: Option<String>,
}

impl KeyPath {
    pub fn named(&self) -> KeyRef<'_> {
        match &self.key_mapping_id {
            Some(id) => KeyRef::Mapping(id),
            None => KeyRef::Type(self.key_type.as_deref().unwrap_or_default()),
        }
    }
}
