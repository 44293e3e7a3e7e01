//! The contract `KeyManager`: what the developer portal asks for when it runs in the same process.

use async_trait::async_trait;
use domain::contract::{KeyManager, KeyManagerError};
use domain::oauth::{ClientRegistration, InternalKey, IssuedToken, RegisteredClient};
use domain::{ApiId, Organization};

use crate::clients;
use crate::grants::{self, GrantType};
use crate::lifetime;
use crate::service::KeyManagerService;
use crate::token::{internal_key, issue, scopes};

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
            let reason = "the client is not registered for client_credentials".to_owned();
            return Err(KeyManagerError::Invalid { field: "grantType", reason });
        }
        let requested = scopes::parse(&scopes.join(" "))
            .map_err(|error| KeyManagerError::Invalid { field: "scopes", reason: error.to_string() })?;
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
        _organization: &Organization,
        user: &str,
        api_id: ApiId,
    ) -> Result<InternalKey, KeyManagerError> {
        internal_key::issue(self, user, api_id)
    }
}
