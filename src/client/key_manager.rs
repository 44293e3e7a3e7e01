//! The key manager on other nodes: `contract::KeyManager`, `contract::TenantKeys`, `contract::PasswordChecker`.

use async_trait::async_trait;
use domain::contract::{KeyManager, KeyManagerError, PasswordChecker, TenantKeys, UserStoreError};
use domain::internal_api::key_manager::{BASE, CALL, CHECK_PASSWORD, Call, CallFailure, Checked, Credentials, Reply};
use domain::oauth::{
    ClientChange, ClientRegistration, ClientSecret, InternalKey, IssuedToken, KeyManagerInfo, RegisteredClient,
    ResidentKeyManager,
};
use domain::user::User;
use domain::{ApiId, Organization, Secret};
use serde_json::{Map, Value};

use crate::peers::{PeerError, Peers, Repeat};

/// The key managers, and what they serve to clients.
#[derive(Clone)]
pub struct RemoteKeyManager {
    peers: Peers,
    resident: ResidentKeyManager,
}

/// The other side answered something that does not belong to the question.
#[derive(Debug, thiserror::Error)]
#[error("the key manager's answer does not fit the call")]
struct WrongReply;

#[derive(Debug, thiserror::Error)]
#[error("the key manager could not do it, its log says why")]
struct Internal;

impl RemoteKeyManager {
    #[must_use]
    pub fn new(key_managers: Peers, resident: ResidentKeyManager) -> Self {
        Self { peers: key_managers, resident }
    }

    async fn call(&self, call: Call) -> Result<Reply, KeyManagerError> {
        let repeat = if call.is_repeatable() { Repeat::Safe } else { Repeat::Never };
        let reply = self.peers.call(&format!("{BASE}{CALL}"), &call, repeat).await;
        match reply.map_err(unreachable)? {
            Reply::Failed(failure) => Err(error_of(failure)),
            reply => Ok(reply),
        }
    }
}

fn unreachable(error: PeerError) -> KeyManagerError {
    match error {
        PeerError::Unreachable { .. } | PeerError::NotAMember => KeyManagerError::Unavailable(Box::new(error)),
        error => KeyManagerError::Failed(Box::new(error)),
    }
}

fn error_of(failure: CallFailure) -> KeyManagerError {
    match failure {
        CallFailure::Invalid { field, reason } => KeyManagerError::Invalid { field: field.into(), reason },
        CallFailure::UnknownClient(id) => KeyManagerError::UnknownClient(id),
        CallFailure::Busy => KeyManagerError::Busy,
        CallFailure::Internal => KeyManagerError::Failed(Box::new(Internal)),
    }
}

fn wrong<T>() -> Result<T, KeyManagerError> {
    Err(KeyManagerError::Failed(Box::new(WrongReply)))
}

/// The content of the one variant that belongs to the question.
macro_rules! expect {
    ($reply:expr, $variant:ident) => {
        match $reply {
            Reply::$variant(content) => Ok(content.into()),
            _ => wrong(),
        }
    };
}

fn done(reply: &Reply) -> Result<(), KeyManagerError> {
    if matches!(reply, Reply::Done) { Ok(()) } else { wrong() }
}

#[async_trait]
impl KeyManager for RemoteKeyManager {
    async fn register_client(&self, registration: ClientRegistration) -> Result<RegisteredClient, KeyManagerError> {
        expect!(self.call(Call::RegisterClient(registration)).await?, Client)
    }

    async fn find_client(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<Option<RegisteredClient>, KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        match self.call(Call::FindClient { organization, client_id }).await? {
            Reply::MaybeClient(found) => Ok(found.map(Into::into)),
            _ => wrong(),
        }
    }

    async fn delete_client(&self, organization: &Organization, client_id: &str) -> Result<(), KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        done(&self.call(Call::DeleteClient { organization, client_id }).await?)
    }

    fn info(&self, organization: &Organization) -> KeyManagerInfo {
        self.resident.info(organization)
    }

    async fn update_client(
        &self,
        organization: &Organization,
        client_id: &str,
        change: ClientChange,
    ) -> Result<RegisteredClient, KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        expect!(self.call(Call::UpdateClient { organization, client_id, change }).await?, Client)
    }

    async fn is_client_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        secret: &Secret<String>,
    ) -> Result<bool, KeyManagerError> {
        let (organization, client_id, secret) = (organization.clone(), client_id.to_owned(), secret.into());
        expect!(self.call(Call::IsClientSecret { organization, client_id, secret }).await?, Flag)
    }

    async fn list_secrets(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<Vec<ClientSecret>, KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        match self.call(Call::ListSecrets { organization, client_id }).await? {
            Reply::Secrets(secrets) => Ok(secrets.into_iter().map(Into::into).collect()),
            _ => wrong(),
        }
    }

    async fn add_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        lifetime_secs: Option<u64>,
        properties: Map<String, Value>,
    ) -> Result<ClientSecret, KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        expect!(self.call(Call::AddSecret { organization, client_id, lifetime_secs, properties }).await?, Secret)
    }

    async fn revoke_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        secret_id: &str,
    ) -> Result<bool, KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        expect!(self.call(Call::RevokeSecret { organization, client_id, secret_id: secret_id.to_owned() }).await?, Flag)
    }

    async fn regenerate_secret(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<ClientSecret, KeyManagerError> {
        let (organization, client_id) = (organization.clone(), client_id.to_owned());
        expect!(self.call(Call::RegenerateSecret { organization, client_id }).await?, Secret)
    }

    async fn change_password(
        &self,
        organization: &Organization,
        username: &str,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), KeyManagerError> {
        let (organization, username) = (organization.clone(), username.to_owned());
        let call = Call::ChangePassword { organization, username, current: current.into(), new: new.into() };
        done(&self.call(call).await?)
    }

    async fn issue_application_token(
        &self,
        organization: &Organization,
        client_id: &str,
        scopes: &[String],
        lifetime_secs: Option<i64>,
    ) -> Result<IssuedToken, KeyManagerError> {
        let (organization, client_id, scopes) = (organization.clone(), client_id.to_owned(), scopes.to_vec());
        expect!(self.call(Call::IssueApplicationToken { organization, client_id, scopes, lifetime_secs }).await?, Token)
    }

    async fn issue_internal_key(
        &self,
        organization: &Organization,
        user: &str,
        api_id: ApiId,
    ) -> Result<InternalKey, KeyManagerError> {
        let (organization, user) = (organization.clone(), user.to_owned());
        expect!(self.call(Call::IssueInternalKey { organization, user, api_id }).await?, Key)
    }
}

#[async_trait]
impl TenantKeys for RemoteKeyManager {
    async fn ensure_keys(&self, organization: &Organization) -> Result<(), KeyManagerError> {
        done(&self.call(Call::EnsureTenantKeys { organization: organization.clone() }).await?)
    }
}

#[async_trait]
impl PasswordChecker for RemoteKeyManager {
    async fn authenticate(&self, username: &str, password: &Secret<String>) -> Result<Option<User>, UserStoreError> {
        let credentials = Credentials { username: username.to_owned(), password: password.into() };
        let checked = self.peers.call(&format!("{BASE}{CHECK_PASSWORD}"), &credentials, Repeat::Safe).await;
        match checked.map_err(|error| UserStoreError::Unavailable(Box::new(error)))? {
            Checked::User(user) => Ok(Some(user)),
            Checked::Wrong => Ok(None),
            Checked::Busy => Err(UserStoreError::Busy),
        }
    }
}
