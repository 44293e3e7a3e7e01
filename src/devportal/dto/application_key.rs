//! `ApplicationKey`, `ApplicationKeyGenerateRequest`, `ApplicationKeyMappingRequest`,
//! `ApplicationKeyReGenerateResponse`, `ApplicationToken`, `ApplicationTokenGenerateRequest`.

use control_plane::keys::{KeyChange, KeyRequest, KeyView, MapRequest, NewSecret, TokenRequest};
use domain::application::{KeyType, RESIDENT_KEY_MANAGER};
use domain::oauth::IssuedToken;
use domain::{Failure, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationKeyGenerateRequestDto {
    key_type: KeyType,
    key_manager: Option<String>,
    grant_types_to_be_supported: Vec<String>,
    callback_url: Option<String>,
    scopes: Option<Vec<String>>,
    /// A number or its text: the contract says text, clients send numbers.
    validity_time: Option<Value>,
    additional_properties: Option<Map<String, Value>>,
}

impl ApplicationKeyGenerateRequestDto {
    /// # Errors
    /// 400 naming the field.
    pub fn into_request(self) -> Result<KeyRequest, Failure> {
        Ok(KeyRequest {
            key_type: self.key_type,
            key_manager: self.key_manager.unwrap_or_else(|| RESIDENT_KEY_MANAGER.to_owned()),
            grant_types: self.grant_types_to_be_supported,
            callback_url: self.callback_url.unwrap_or_default(),
            scopes: self.scopes.unwrap_or_default(),
            validity_secs: seconds("validityTime", self.validity_time)?,
            additional_properties: self.additional_properties.unwrap_or_default(),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationKeyMappingRequestDto {
    key_type: KeyType,
    key_manager: Option<String>,
    consumer_key: String,
    consumer_secret: Option<Secret<String>>,
}

impl From<ApplicationKeyMappingRequestDto> for MapRequest {
    fn from(dto: ApplicationKeyMappingRequestDto) -> Self {
        Self {
            key_type: dto.key_type,
            key_manager: dto.key_manager.unwrap_or_else(|| RESIDENT_KEY_MANAGER.to_owned()),
            consumer_key: dto.consumer_key,
            consumer_secret: dto.consumer_secret.filter(|secret| !secret.expose().is_empty()),
        }
    }
}

/// The fields of an `ApplicationKey` that its owner may change; the others are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationKeyChangeDto {
    supported_grant_types: Option<Vec<String>>,
    callback_url: Option<String>,
    additional_properties: Option<Map<String, Value>>,
}

impl From<ApplicationKeyChangeDto> for KeyChange {
    fn from(dto: ApplicationKeyChangeDto) -> Self {
        Self {
            grant_types: dto.supported_grant_types,
            callback_url: dto.callback_url,
            additional_properties: dto.additional_properties,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationKeyReGenerateResponseDto {
    consumer_key: String,
    consumer_secret: Option<String>,
}

impl From<&NewSecret> for ApplicationKeyReGenerateResponseDto {
    fn from(made: &NewSecret) -> Self {
        Self {
            consumer_key: made.consumer_key.clone(),
            consumer_secret: made.secret.value.as_ref().map(|value| value.expose().clone()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationTokenGenerateRequestDto {
    consumer_secret: Option<Secret<String>>,
    validity_period: Option<Value>,
    scopes: Option<Vec<String>>,
    grant_type: Option<String>,
}

impl ApplicationTokenGenerateRequestDto {
    /// # Errors
    /// 400 naming the field.
    pub fn into_request(self) -> Result<TokenRequest, Failure> {
        if let Some(grant) = self.grant_type
            && grant != "CLIENT_CREDENTIALS"
        {
            return Err(Failure::invalid("grantType", format!("'{grant}' is not served; use CLIENT_CREDENTIALS")));
        }
        Ok(TokenRequest {
            consumer_secret: self.consumer_secret.filter(|secret| !secret.expose().is_empty()),
            scopes: self.scopes.unwrap_or_default(),
            validity_secs: seconds("validityPeriod", self.validity_period)?,
        })
    }
}

/// Seconds as a number or its text; -1 means for ever.
fn seconds(field: &str, value: Option<Value>) -> Result<Option<i64>, Failure> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse::<i64>().ok(),
        Some(Value::Number(number)) => number.as_i64(),
        Some(_) => None,
    };
    match seconds {
        Some(seconds) if seconds > 0 || seconds == -1 => Ok(Some(seconds)),
        _ => Err(Failure::invalid(field, "must be a number of seconds above 0, or -1")),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationKeyDto {
    key_mapping_id: String,
    key_manager: String,
    consumer_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_secret: Option<String>,
    supported_grant_types: Vec<String>,
    callback_url: String,
    key_state: &'static str,
    key_type: &'static str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<ApplicationTokenDto>,
    additional_properties: Map<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationTokenDto {
    access_token: String,
    token_scopes: Vec<String>,
    validity_time: i64,
}

impl From<&KeyView> for ApplicationKeyDto {
    fn from(view: &KeyView) -> Self {
        let client = &view.client.client;
        Self {
            key_mapping_id: view.mapping.id.to_string(),
            key_manager: view.mapping.key_manager.clone(),
            consumer_key: view.mapping.consumer_key.clone(),
            consumer_secret: view.client.secret.as_ref().map(|secret| secret.expose().clone()),
            supported_grant_types: client.grant_types.clone(),
            callback_url: client.callback_url.clone(),
            key_state: "COMPLETED",
            key_type: view.mapping.key_type.as_str(),
            mode: view.mapping.mode.as_str(),
            token: view.token.as_ref().map(ApplicationTokenDto::from),
            additional_properties: client.additional_properties.clone(),
        }
    }
}

impl From<&IssuedToken> for ApplicationTokenDto {
    fn from(token: &IssuedToken) -> Self {
        Self {
            access_token: token.access_token.expose().clone(),
            token_scopes: token.scopes.clone(),
            validity_time: token.expires_in,
        }
    }
}
