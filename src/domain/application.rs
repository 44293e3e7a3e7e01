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

/// Its id on the wire, the same in every deployment.
pub const RESIDENT_KEY_MANAGER_ID: &str = "6f1d7b3e-52a4-4c89-9d07-3b8a1e5c4f60";

/// Where an application's OAuth client comes from (WSO2 `ApplicationKey.mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KeyMode {
    /// Made for the application; it lives and ends with the mapping.
    #[default]
    Created,
    /// Registered elsewhere before; it belongs to whoever registered it.
    Mapped,
}

impl KeyMode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Mapped => "MAPPED",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "CREATED" => Some(Self::Created),
            "MAPPED" => Some(Self::Mapped),
            _ => None,
        }
    }
}

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
    #[serde(default)]
    pub mode: KeyMode,
    pub created_at: Timestamp,
}
