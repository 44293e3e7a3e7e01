//! `APIKey`, `APIKeyGenerateRequest`, `APIKeyInfo`, `APIKeyRevokeRequest`.

use control_plane::api_keys::{ApiKeyChoice, ApiKeyRequest, NewApiKey};
use domain::api_key::{ApiKey, KeyRestrictions};
use domain::{Failure, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyGenerateRequestDto {
    key_name: Option<String>,
    validity_period: Option<i64>,
    additional_properties: Option<Map<String, Value>>,
}

impl ApiKeyGenerateRequestDto {
    /// # Errors
    /// 400 naming the field.
    pub fn into_request(self) -> Result<ApiKeyRequest, Failure> {
        let properties = self.additional_properties.unwrap_or_default();
        let (ips, referers) = (text(&properties, "permittedIP")?, text(&properties, "permittedReferer")?);
        let restrictions =
            KeyRestrictions::parse(ips, referers).map_err(|error| Failure::invalid("additionalProperties", error))?;
        Ok(ApiKeyRequest { name: self.key_name, validity_secs: self.validity_period.unwrap_or(-1), restrictions })
    }
}

fn text<'a>(properties: &'a Map<String, Value>, name: &str) -> Result<&'a str, Failure> {
    match properties.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Failure::invalid("additionalProperties", format!("{name} must be a string"))),
    }
}

#[derive(Debug, Deserialize)]
pub struct ApiKeyRevokeRequestDto {
    apikey: Option<Secret<String>>,
    #[serde(rename = "keyUUID")]
    key_uuid: Option<String>,
}

impl ApiKeyRevokeRequestDto {
    /// # Errors
    /// 400 when not exactly one of both is given.
    pub fn into_choice(self) -> Result<ApiKeyChoice, Failure> {
        match (self.apikey, self.key_uuid) {
            (Some(text), None) => Ok(ApiKeyChoice::Text(text)),
            (None, Some(id)) => Ok(ApiKeyChoice::Id(id)),
            _ => Err(Failure::invalid("apikey", "name the key by either apikey or keyUUID")),
        }
    }
}

/// The key itself, shown this once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyDto {
    key_name: String,
    apikey: String,
    validity_period: i64,
}

impl From<&NewApiKey> for ApiKeyDto {
    fn from(new: &NewApiKey) -> Self {
        Self {
            key_name: new.key.name.clone(),
            apikey: new.text.expose().clone(),
            validity_period: new.key.validity_secs(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyInfoDto {
    #[serde(rename = "keyUUID")]
    key_uuid: String,
    key_name: String,
    issued_on: String,
    validity_period: i64,
}

impl From<&ApiKey> for ApiKeyInfoDto {
    fn from(key: &ApiKey) -> Self {
        Self {
            key_uuid: key.id.to_string(),
            key_name: key.name.clone(),
            issued_on: key.created_at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string(),
            validity_period: key.validity_secs(),
        }
    }
}
