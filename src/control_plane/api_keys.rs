//! API keys of applications: made, listed and revoked by the application's owner.

use domain::api_key::{ApiKey, KeyRestrictions};
use domain::application::KeyType;
use domain::event::Event;
use domain::oauth::Principal;
use domain::user::user_with_tenant;
use domain::{ApiKeyId, Failure, Secret, Timestamp, error_code};
use security::client_secret;
use store::apim::api_keys;

use crate::ControlPlane;
use crate::applications::{find_owned, parse_id};

const NAME_CHARS_MAX: usize = 100;

/// Most keys of one application and type: each is held by every gateway.
const KEYS_MAX: usize = 1000;

/// What a consumer asks for (WSO2 `APIKeyGenerateRequest`).
#[derive(Debug, Clone)]
pub struct ApiKeyRequest {
    /// A name is made up when none is given.
    pub name: Option<String>,
    /// -1 never expires.
    pub validity_secs: i64,
    pub restrictions: KeyRestrictions,
}

/// A new key. Its text is shown this once and stored nowhere.
#[derive(Debug)]
pub struct NewApiKey {
    pub key: ApiKey,
    pub text: Secret<String>,
}

/// Which key is meant.
#[derive(Debug)]
pub enum ApiKeyChoice {
    Text(Secret<String>),
    Id(String),
}

fn not_found() -> Failure {
    Failure::refused(error_code::NOT_FOUND, "the application has no such API key of this type")
}

fn parse_key_type(text: &str) -> Result<KeyType, Failure> {
    KeyType::parse(text).ok_or_else(|| Failure::invalid("keyType", "must be PRODUCTION or SANDBOX"))
}

fn expiry(now: Timestamp, validity_secs: i64) -> Result<Option<Timestamp>, Failure> {
    match validity_secs {
        -1 => Ok(None),
        secs if secs > 0 && i32::try_from(secs).is_ok() => Ok(Some(Timestamp::from_secs(now.as_secs() + secs))),
        _ => Err(Failure::invalid("validityPeriod", "must be a number of seconds from 1 to 2147483647, or -1")),
    }
}

fn checked_name(name: Option<String>, id: ApiKeyId) -> Result<String, Failure> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("key-{id}"));
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Failure::invalid(
            "keyName",
            format!("must have at most {NAME_CHARS_MAX} characters and no control characters"),
        ));
    }
    Ok(name)
}

impl ControlPlane {
    /// Makes a key for the application.
    ///
    /// # Errors
    /// 404; 400 naming the field; 409 when the application has too many keys.
    pub async fn generate_api_key(
        &self,
        caller: &Principal,
        application_id: &str,
        key_type: &str,
        request: ApiKeyRequest,
    ) -> Result<NewApiKey, Failure> {
        let (application_id, key_type) = (parse_id(application_id)?, parse_key_type(key_type)?);
        let (id, now) = (ApiKeyId::random(), self.now());
        let text = client_secret::generate().map_err(Failure::internal)?;
        let key = ApiKey {
            id,
            organization: caller.organization.clone(),
            application_id,
            key_type,
            name: checked_name(request.name, id)?,
            hash: client_secret::hash(&text),
            user: user_with_tenant(&caller.username, &caller.organization),
            restrictions: request.restrictions,
            created_at: now,
            expires_at: expiry(now, request.validity_secs)?,
        };
        let caller = caller.clone();
        let key = self
            .apim()
            .write(move |conn| {
                find_owned(conn, &caller.organization, &caller.username, application_id)?;
                if api_keys::list(conn, application_id, key_type)?.len() >= KEYS_MAX {
                    let reason = format!("the application has {KEYS_MAX} API keys of this type; revoke some first");
                    return Err(Failure::refused(error_code::CONFLICT, reason));
                }
                api_keys::insert(conn, &key)?;
                conn.append(now, Event::ApiKeyCreated(key.clone()));
                Ok(key.clone())
            })
            .await?;
        Ok(NewApiKey { key, text })
    }

    /// The application's keys of one type, oldest first.
    ///
    /// # Errors
    /// 404; 400 for an unknown key type.
    pub async fn list_api_keys(
        &self,
        caller: &Principal,
        application_id: &str,
        key_type: &str,
    ) -> Result<Vec<ApiKey>, Failure> {
        let (id, key_type, caller) = (parse_id(application_id)?, parse_key_type(key_type)?, caller.clone());
        self.apim()
            .read(move |conn| {
                find_owned(conn, &caller.organization, &caller.username, id)?;
                Ok(api_keys::list(conn, id, key_type)?)
            })
            .await
    }

    /// Revokes a key for good: gateways refuse it as soon as they hear of it.
    ///
    /// # Errors
    /// 404 when the application has no such key.
    pub async fn revoke_api_key(
        &self,
        caller: &Principal,
        application_id: &str,
        key_type: &str,
        choice: ApiKeyChoice,
    ) -> Result<(), Failure> {
        let (id, key_type, caller, now) =
            (parse_id(application_id)?, parse_key_type(key_type)?, caller.clone(), self.now());
        self.apim()
            .write(move |conn| {
                find_owned(conn, &caller.organization, &caller.username, id)?;
                let is_meant = |key: &ApiKey| match &choice {
                    ApiKeyChoice::Text(text) => client_secret::verify(text, &key.hash),
                    ApiKeyChoice::Id(id) => key.id.to_string().eq_ignore_ascii_case(id),
                };
                let key = api_keys::list(conn, id, key_type)?.into_iter().find(is_meant).ok_or_else(not_found)?;
                api_keys::delete(conn, &key)?;
                let revoked = Event::ApiKeyRevoked {
                    organization: key.organization,
                    api_key_id: key.id,
                    application_id: key.application_id,
                    hash: key.hash,
                };
                conn.append(now, revoked);
                Ok(())
            })
            .await
    }
}
