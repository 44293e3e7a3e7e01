//! `KeyManagerInfo`.

use domain::application::{RESIDENT_KEY_MANAGER, RESIDENT_KEY_MANAGER_ID};
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyManagerInfoDto {
    id: &'static str,
    name: &'static str,
    display_name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
    enabled: bool,
    additional_properties: Vec<Value>,
}

impl KeyManagerInfoDto {
    /// The key manager that is part of the server. Its name is its id: no other may have it.
    pub fn resident() -> Self {
        Self {
            id: RESIDENT_KEY_MANAGER_ID,
            name: RESIDENT_KEY_MANAGER,
            display_name: RESIDENT_KEY_MANAGER,
            kind: "default",
            description: "The key manager of this server",
            enabled: true,
            additional_properties: Vec::new(),
        }
    }
}
