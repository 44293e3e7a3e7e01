//! Applications of the developer portal and their OAuth clients.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ApplicationId, KeyMappingId, Organization, Timestamp};

/// A consumer's application (WSO2 `Application`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    pub id: ApplicationId,
    pub organization: Organization,
    pub name: String,
    /// Name of the owning user.
    pub owner: String,
    /// Name of the application policy that limits its calls.
    pub throttling_policy: String,
    pub description: String,
    pub token_type: TokenType,
    pub groups: Vec<String>,
    pub attributes: Map<String, Value>,
    pub visibility: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub row_version: i64,
}

/// Format of an application's access tokens (WSO2 `Application.tokenType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenType {
    Oauth,
    #[default]
    Jwt,
}

/// Which endpoint of an API a client's tokens reach (WSO2 `keyType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KeyType {
    Production,
    Sandbox,
}

impl KeyType {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "PRODUCTION",
            Self::Sandbox => "SANDBOX",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "PRODUCTION" => Some(Self::Production),
            "SANDBOX" => Some(Self::Sandbox),
            _ => None,
        }
    }
}

/// The name of the built-in key manager on the wire.
pub const RESIDENT_KEY_MANAGER: &str = "Resident Key Manager";

/// An application's OAuth client under one key type (WSO2 `ApplicationKey`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyMapping {
    pub id: KeyMappingId,
    pub application_id: ApplicationId,
    pub organization: Organization,
    pub key_type: KeyType,
    /// Name of the key manager that holds the client.
    pub key_manager: String,
    /// OAuth `client_id` (WSO2's consumer key).
    pub consumer_key: String,
    pub created_at: Timestamp,
}
