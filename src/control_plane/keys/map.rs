//! Keys for a client that was registered elsewhere.

use domain::application::{KeyMapping, KeyMode, KeyType};
use domain::oauth::Principal;
use domain::{Failure, Secret, error_code};

use super::{KeyView, check_key_manager, from_key_manager, key_not_found, keys_exist};
use crate::ControlPlane;

/// What a consumer asks for (WSO2 `ApplicationKeyMappingRequest`).
#[derive(Debug, Clone)]
pub struct MapRequest {
    pub key_type: KeyType,
    /// Name or id of the key manager.
    pub key_manager: String,
    pub consumer_key: String,
    /// Proves that the client is the caller's to map; its owner needs none.
    pub consumer_secret: Option<Secret<String>>,
}

/// Which of the two rules about mappings is broken is not known after the fact.
pub(super) fn taken(mapping: &KeyMapping) -> Failure {
    match mapping.mode {
        KeyMode::Created => keys_exist(mapping.key_type),
        KeyMode::Mapped => Failure::refused(
            error_code::CONFLICT,
            "consumerKey: an application uses this client already, and each client belongs to one",
        ),
    }
}

fn unknown_client() -> Failure {
    Failure::invalid("consumerKey", "the key manager has no client with this key and this consumerSecret")
}

impl ControlPlane {
    /// Lets a client that exists already speak for the application.
    ///
    /// # Errors
    /// 404; 400 for a client and secret that do not belong together; 409 when the application has keys of this type or
    /// the client belongs to an application.
    pub async fn map_keys(
        &self,
        caller: &Principal,
        application_id: &str,
        request: MapRequest,
    ) -> Result<KeyView, Failure> {
        let application = self.owned_application(caller, application_id).await?;
        check_key_manager(&request.key_manager)?;
        self.check_may_map(caller, &request).await?;
        if self.mappings(&application).await?.iter().any(|mapping| mapping.key_type == request.key_type) {
            return Err(keys_exist(request.key_type));
        }
        let mapping = self.store_mapping(&application, request.key_type, request.consumer_key, KeyMode::Mapped).await?;
        let id = mapping.id.to_string();
        self.with_client(mapping).await?.ok_or_else(|| key_not_found(&id))
    }

    /// A stranger's client must look like one that does not exist.
    async fn check_may_map(&self, caller: &Principal, request: &MapRequest) -> Result<(), Failure> {
        let (organization, id) = (&caller.organization, &request.consumer_key);
        if id.chars().any(char::is_control) {
            return Err(unknown_client());
        }
        let may_map = match &request.consumer_secret {
            Some(secret) => {
                self.key_manager().is_client_secret(organization, id, secret).await.map_err(from_key_manager)?
            }
            None => {
                let found = self.key_manager().find_client(organization, id).await.map_err(from_key_manager)?;
                found.is_some_and(|found| found.client.owner == caller.username)
            }
        };
        if may_map { Ok(()) } else { Err(unknown_client()) }
    }
}
