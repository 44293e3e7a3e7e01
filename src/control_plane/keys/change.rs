//! Changing and removing keys.

use domain::application::{KeyMapping, KeyMode};
use domain::event::Event;
use domain::oauth::{Client, ClientChange, Principal};
use domain::{Failure, error_code};
use serde_json::{Map, Value};
use store::apim::key_mappings;

use super::{KeyRef, KeyView, from_key_manager, key_not_found, lifetime, shown};
use crate::ControlPlane;

/// What a consumer may change of a key; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct KeyChange {
    pub grant_types: Option<Vec<String>>,
    pub callback_url: Option<String>,
    /// Lifetimes among them.
    pub additional_properties: Option<Map<String, Value>>,
}

/// 403: the client of a mapped key is its registrant's to change.
fn not_made_here() -> Failure {
    Failure::refused(
        error_code::FORBIDDEN,
        "the key was mapped and not made here: change its client where it was registered",
    )
}

impl ControlPlane {
    /// Changes grant types, callback URL and lifetimes of a key's client. Tokens that were issued stay as they are.
    ///
    /// # Errors
    /// 404; 400 naming the field; 403 for a mapped key.
    pub async fn update_key(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
        change: KeyChange,
    ) -> Result<KeyView, Failure> {
        let view = self.get_key(caller, application_id, key).await?;
        if view.mapping.mode == KeyMode::Mapped {
            return Err(not_made_here());
        }
        let change = resolved(view.client.client, change)?;
        let client = self
            .key_manager()
            .update_client(&view.mapping.organization, &view.mapping.consumer_key, change)
            .await
            .map_err(from_key_manager)?;
        Ok(shown(view.mapping, client))
    }

    /// Takes a key from the application: gateways refuse its tokens. A client that was made for it ends with it.
    ///
    /// # Errors
    /// 404.
    pub async fn remove_key(&self, caller: &Principal, application_id: &str, key: KeyRef<'_>) -> Result<(), Failure> {
        let mapping = self.find_mapping(caller, application_id, key).await?;
        let (removed, now) = (mapping.clone(), self.now());
        self.apim()
            .write(move |conn| {
                if !key_mappings::delete(conn, removed.id)? {
                    return Err(key_not_found(&removed.id.to_string()));
                }
                conn.append(
                    now,
                    Event::KeyMappingDeleted {
                        organization: removed.organization.clone(),
                        key_mapping_id: removed.id,
                        consumer_key: removed.consumer_key.clone(),
                    },
                );
                Ok(())
            })
            .await?;
        if mapping.mode == KeyMode::Mapped {
            return Ok(());
        }
        // After the commit gateways refuse the key already; a client that outlives a crash here can call nothing.
        self.key_manager().delete_client(&mapping.organization, &mapping.consumer_key).await.map_err(from_key_manager)
    }

    /// The mapping of a key whose client was made here.
    pub(super) async fn find_own_key(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
    ) -> Result<KeyMapping, Failure> {
        let mapping = self.find_mapping(caller, application_id, key).await?;
        if mapping.mode == KeyMode::Mapped { Err(not_made_here()) } else { Ok(mapping) }
    }
}

/// The client's whole new state.
fn resolved(client: Client, change: KeyChange) -> Result<ClientChange, Failure> {
    let properties = change.additional_properties.unwrap_or_else(|| client.additional_properties.clone());
    let seconds = |name: &str, present: Option<i64>| {
        if properties.contains_key(name) { lifetime(&properties, name) } else { Ok(present) }
    };
    Ok(ClientChange {
        grant_types: change.grant_types.unwrap_or(client.grant_types),
        callback_url: change.callback_url.unwrap_or(client.callback_url),
        application_token_lifetime_secs: seconds(
            "application_access_token_expiry_time",
            client.application_token_lifetime_secs,
        )?,
        user_token_lifetime_secs: seconds("user_access_token_expiry_time", client.user_token_lifetime_secs)?,
        refresh_token_lifetime_secs: seconds("refresh_token_expiry_time", client.refresh_token_lifetime_secs)?,
        additional_properties: properties,
    })
}
