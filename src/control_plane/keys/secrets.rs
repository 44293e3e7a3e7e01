//! Secrets of an application's client.

use domain::oauth::{ClientSecret, Principal};
use domain::{Failure, error_code};
use serde_json::{Map, Value};

use super::{KeyRef, from_key_manager};
use crate::ControlPlane;

/// A client's key and the secret that it got.
#[derive(Debug, Clone)]
pub struct NewSecret {
    pub consumer_key: String,
    pub secret: ClientSecret,
}

impl ControlPlane {
    /// The secrets of a key that count, the newest first.
    ///
    /// # Errors
    /// 404; 403 for a mapped key.
    pub async fn list_secrets(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
    ) -> Result<Vec<ClientSecret>, Failure> {
        let mapping = self.find_own_key(caller, application_id, key).await?;
        let listed = self.key_manager().list_secrets(&mapping.organization, &mapping.consumer_key).await;
        listed.map_err(from_key_manager)
    }

    /// One more secret beside those that count. `properties` are kept; `lifetime_secs` ends the secret by itself.
    ///
    /// # Errors
    /// 404; 400 naming the field; 403 for a mapped key.
    pub async fn add_secret(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
        lifetime_secs: Option<u64>,
        properties: Map<String, Value>,
    ) -> Result<ClientSecret, Failure> {
        let mapping = self.find_own_key(caller, application_id, key).await?;
        self.key_manager()
            .add_secret(&mapping.organization, &mapping.consumer_key, lifetime_secs, properties)
            .await
            .map_err(from_key_manager)
    }

    /// Ends one secret.
    ///
    /// # Errors
    /// 404 also for a secret of another key; 403 for a mapped key.
    pub async fn revoke_secret(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
        secret_id: &str,
    ) -> Result<(), Failure> {
        let mapping = self.find_own_key(caller, application_id, key).await?;
        if secret_id.chars().any(char::is_control) {
            return Err(Failure::invalid("secretId", "must not contain control characters"));
        }
        let revoked = self.key_manager().revoke_secret(&mapping.organization, &mapping.consumer_key, secret_id).await;
        if revoked.map_err(from_key_manager)? {
            return Ok(());
        }
        Err(Failure::refused(error_code::NOT_FOUND, format!("secretId: the key has no secret '{secret_id}'")))
    }

    /// Puts one new secret in the place of all, and ends the tokens of the key.
    ///
    /// # Errors
    /// 404; 403 for a mapped key.
    pub async fn regenerate_secret(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
    ) -> Result<NewSecret, Failure> {
        let mapping = self.find_own_key(caller, application_id, key).await?;
        let secret = self
            .key_manager()
            .regenerate_secret(&mapping.organization, &mapping.consumer_key)
            .await
            .map_err(from_key_manager)?;
        Ok(NewSecret { consumer_key: mapping.consumer_key, secret })
    }
}
