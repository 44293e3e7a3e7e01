//! The contract `KeyManager`: what the developer portal asks for when it runs in the same process.

use async_trait::async_trait;
use domain::contract::{KeyManager, KeyManagerError};
use domain::oauth::{
    ClientChange, ClientRegistration, ClientSecret, InternalKey, IssuedToken, KeyManagerInfo, RegisteredClient,
};
use domain::{ApiId, Organization, Secret};
use serde_json::{Map, Value};

use crate::grants::{self, GrantType};
use crate::lifetime;
use crate::service::KeyManagerService;
use crate::token::{internal_key, issue, scopes};
use crate::{client_change, client_secrets, clients, password_change};

#[async_trait]
impl KeyManager for KeyManagerService {
    async fn register_client(&self, registration: ClientRegistration) -> Result<RegisteredClient, KeyManagerError> {
        clients::register(self, registration).await
    }

    async fn find_client(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<Option<RegisteredClient>, KeyManagerError> {
        Ok(clients::find(self, organization, client_id).await?)
    }

    async fn delete_client(&self, organization: &Organization, client_id: &str) -> Result<(), KeyManagerError> {
        Ok(clients::delete(self, organization, client_id).await?)
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
        client_change::update(self, organization, client_id, change).await
    }

    async fn is_client_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        secret: &Secret<String>,
    ) -> Result<bool, KeyManagerError> {
        Ok(client_secrets::fits(self, organization, client_id, secret).await?)
    }

    async fn list_secrets(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<Vec<ClientSecret>, KeyManagerError> {
        client_secrets::list(self, organization, client_id).await
    }

    async fn add_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        lifetime_secs: Option<u64>,
        properties: Map<String, Value>,
    ) -> Result<ClientSecret, KeyManagerError> {
        client_secrets::add(self, organization, client_id, lifetime_secs, properties).await
    }

    async fn revoke_secret(
        &self,
        organization: &Organization,
        client_id: &str,
        secret_id: &str,
    ) -> Result<bool, KeyManagerError> {
        client_secrets::revoke(self, organization, client_id, secret_id).await
    }

    async fn regenerate_secret(
        &self,
        organization: &Organization,
        client_id: &str,
    ) -> Result<ClientSecret, KeyManagerError> {
        client_secrets::regenerate(self, organization, client_id).await
    }

    async fn change_password(
        &self,
        organization: &Organization,
        username: &str,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), KeyManagerError> {
        password_change::change(self, organization, username, current, new).await
    }

    async fn issue_application_token(
        &self,
        organization: &Organization,
        client_id: &str,
        scopes: &[String],
        lifetime_secs: Option<i64>,
    ) -> Result<IssuedToken, KeyManagerError> {
        let registered = clients::find(self, organization, client_id).await?;
        let client = registered.ok_or_else(|| KeyManagerError::UnknownClient(client_id.to_owned()))?.client;
        if !grants::is_registered(&client, GrantType::ClientCredentials) {
            let reason = "the client is not registered for client_credentials";
            return Err(KeyManagerError::invalid("grantType", reason));
        }
        let requested =
            scopes::parse(&scopes.join(" ")).map_err(|error| KeyManagerError::invalid("scopes", error.to_string()))?;
        let lifetime_secs = match lifetime_secs {
            Some(secs) => lifetime::resolve(Some(secs), self.oauth.application_token_lifetime.get()),
            None => issue::application_lifetime(self, &client),
        };
        let access = grants::issue_application_token(self, &client, &requested, lifetime_secs).await?;
        self.metrics.issued(GrantType::ClientCredentials.as_str());
        Ok(IssuedToken { access_token: access.token, scopes: access.scopes, expires_in: access.expires_in })
    }

    async fn issue_internal_key(
        &self,
        organization: &Organization,
        user: &str,
        api_id: ApiId,
    ) -> Result<InternalKey, KeyManagerError> {
        internal_key::issue(self, organization, user, api_id).await
    }
}
