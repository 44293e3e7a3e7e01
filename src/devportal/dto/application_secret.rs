//! `ConsumerSecret`, `ConsumerSecretCreationRequest`, `ConsumerSecretDeletionRequest`.

use domain::Failure;
use domain::oauth::ClientSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Names that mean something among the properties, which are kept as they come otherwise.
const EXPIRES_IN: &str = "expiresIn";
const EXPIRES_AT: &str = "expiresAt";
const CREATED_AT: &str = "createdAt";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerSecretCreationRequestDto {
    additional_properties: Option<Map<String, Value>>,
}

impl ConsumerSecretCreationRequestDto {
    /// Seconds that the secret lives when it ends by itself, and the properties to keep.
    ///
    /// # Errors
    /// 400 naming the field.
    pub fn into_request(self) -> Result<(Option<u64>, Map<String, Value>), Failure> {
        let mut properties = self.additional_properties.unwrap_or_default();
        let lifetime_secs = match properties.remove(EXPIRES_IN) {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) => Some(number.as_u64().unwrap_or(0)),
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(Value::String(text)) => Some(text.trim().parse().unwrap_or(0)),
            Some(_) => Some(0),
        };
        if lifetime_secs == Some(0) {
            return Err(Failure::invalid("additionalProperties", "expiresIn must be a number of seconds above 0"));
        }
        properties.retain(|name, _| name != EXPIRES_AT && name != CREATED_AT);
        Ok((lifetime_secs, properties))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerSecretDeletionRequestDto {
    pub secret_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerSecretDto {
    secret_id: String,
    /// Missing when secrets are kept as hashes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_value: Option<String>,
    additional_properties: Map<String, Value>,
}

impl From<&ClientSecret> for ConsumerSecretDto {
    fn from(secret: &ClientSecret) -> Self {
        let mut properties = secret.properties.clone();
        properties.insert(CREATED_AT.to_owned(), json!(secret.created_at.as_secs()));
        if let Some(expires_at) = secret.expires_at {
            properties.insert(EXPIRES_AT.to_owned(), json!(expires_at.as_secs()));
        }
        Self {
            secret_id: secret.id.clone(),
            secret_value: secret.value.as_ref().map(|value| value.expose().clone()),
            additional_properties: properties,
        }
    }
}
