//! The key manager's part: `contract::KeyManager`, `contract::TenantKeys` and `contract::PasswordChecker` on the wire.
//! The bodies hold secrets in clear; they print none.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::oauth::{
    Client, ClientChange, ClientRegistration, ClientSecret, InternalKey, IssuedToken, RegisteredClient,
};
use crate::user::User;
use crate::{ApiId, Organization, Secret, Timestamp};

pub const BASE: &str = "/internal/key-manager/v1";
/// [`Call`] -> [`Reply`]; needs the service `key-manager`.
pub const CALL: &str = "/call";
/// [`Credentials`] -> [`Checked`]; needs the service `user-store`.
pub const CHECK_PASSWORD: &str = "/check-password";

/// A secret on its way between two nodes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clear(String);

impl fmt::Debug for Clear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&Secret<String>> for Clear {
    fn from(secret: &Secret<String>) -> Self {
        Self(secret.expose().clone())
    }
}

impl From<Clear> for Secret<String> {
    fn from(clear: Clear) -> Self {
        Self::new(clear.0)
    }
}

/// One method of the contracts with its arguments.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    RegisterClient(ClientRegistration),
    FindClient {
        organization: Organization,
        client_id: String,
    },
    DeleteClient {
        organization: Organization,
        client_id: String,
    },
    UpdateClient {
        organization: Organization,
        client_id: String,
        change: ClientChange,
    },
    IsClientSecret {
        organization: Organization,
        client_id: String,
        secret: Clear,
    },
    ListSecrets {
        organization: Organization,
        client_id: String,
    },
    AddSecret {
        organization: Organization,
        client_id: String,
        lifetime_secs: Option<u64>,
        properties: Map<String, Value>,
    },
    RevokeSecret {
        organization: Organization,
        client_id: String,
        secret_id: String,
    },
    RegenerateSecret {
        organization: Organization,
        client_id: String,
    },
    ChangePassword {
        organization: Organization,
        username: String,
        current: Clear,
        new: Clear,
    },
    IssueApplicationToken {
        organization: Organization,
        client_id: String,
        scopes: Vec<String>,
        lifetime_secs: Option<i64>,
    },
    IssueInternalKey {
        organization: Organization,
        user: String,
        api_id: ApiId,
    },
    EnsureTenantKeys {
        organization: Organization,
    },
}

impl Call {
    /// Whether a second time does no more than the first, so that it may be sent anew after a lost answer.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::AddSecret { .. } | Self::RegenerateSecret { .. } | Self::ChangePassword { .. } => false,
            Self::RegisterClient(_)
            | Self::FindClient { .. }
            | Self::DeleteClient { .. }
            | Self::UpdateClient { .. }
            | Self::IsClientSecret { .. }
            | Self::ListSecrets { .. }
            | Self::RevokeSecret { .. }
            | Self::IssueApplicationToken { .. }
            | Self::IssueInternalKey { .. }
            | Self::EnsureTenantKeys { .. } => true,
        }
    }
}

/// What a [`Call`] gives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done,
    Flag(bool),
    Client(RegisteredClientBody),
    MaybeClient(Option<RegisteredClientBody>),
    Secret(ClientSecretBody),
    Secrets(Vec<ClientSecretBody>),
    Token(IssuedTokenBody),
    Key(InternalKeyBody),
    Failed(CallFailure),
}

/// Why a [`Call`] was not done; as `KeyManagerError` without causes, which stay in the key manager's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallFailure {
    Invalid { field: String, reason: String },
    UnknownClient(String),
    Busy,
    Internal,
}

/// A person's name and password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub username: String,
    pub password: Clear,
}

/// Whether they fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    User(User),
    Wrong,
    Busy,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegisteredClientBody {
    pub client: Client,
    pub secret: Option<Clear>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientSecretBody {
    pub id: String,
    pub value: Option<Clear>,
    pub properties: Map<String, Value>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedTokenBody {
    pub access_token: Clear,
    pub scopes: Vec<String>,
    pub expires_in: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InternalKeyBody {
    pub key: Clear,
    pub expires_in: i64,
}

impl From<RegisteredClient> for RegisteredClientBody {
    fn from(registered: RegisteredClient) -> Self {
        Self { secret: registered.secret.as_ref().map(Clear::from), client: registered.client }
    }
}

impl From<RegisteredClientBody> for RegisteredClient {
    fn from(body: RegisteredClientBody) -> Self {
        Self { client: body.client, secret: body.secret.map(Into::into) }
    }
}

impl From<ClientSecret> for ClientSecretBody {
    fn from(secret: ClientSecret) -> Self {
        let ClientSecret { id, value, properties, created_at, expires_at } = secret;
        Self { id, value: value.as_ref().map(Clear::from), properties, created_at, expires_at }
    }
}

impl From<ClientSecretBody> for ClientSecret {
    fn from(body: ClientSecretBody) -> Self {
        let ClientSecretBody { id, value, properties, created_at, expires_at } = body;
        Self { id, value: value.map(Into::into), properties, created_at, expires_at }
    }
}

impl From<IssuedToken> for IssuedTokenBody {
    fn from(token: IssuedToken) -> Self {
        Self { access_token: (&token.access_token).into(), scopes: token.scopes, expires_in: token.expires_in }
    }
}

impl From<IssuedTokenBody> for IssuedToken {
    fn from(body: IssuedTokenBody) -> Self {
        Self { access_token: body.access_token.into(), scopes: body.scopes, expires_in: body.expires_in }
    }
}

impl From<InternalKey> for InternalKeyBody {
    fn from(key: InternalKey) -> Self {
        Self { key: (&key.key).into(), expires_in: key.expires_in }
    }
}

impl From<InternalKeyBody> for InternalKey {
    fn from(body: InternalKeyBody) -> Self {
        Self { key: body.key.into(), expires_in: body.expires_in }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_crosses_the_wire_and_prints_nowhere() {
        let secret = Secret::new("hunter2".to_owned());
        let organization = Organization::super_tenant();
        let call = Call::IsClientSecret { organization, client_id: "c".to_owned(), secret: (&secret).into() };
        assert!(!format!("{call:?}").contains("hunter2"));
        let read: Call = serde_json::from_str(&serde_json::to_string(&call).unwrap()).unwrap();
        let Call::IsClientSecret { secret, .. } = read else { panic!("{read:?}") };
        assert!(Secret::from(secret).matches(b"hunter2"));
    }
}
