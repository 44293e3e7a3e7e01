//! Keys of applications: OAuth clients at the key manager, and tokens for trying out.

mod change;
mod map;
mod secrets;

pub use change::KeyChange;
pub use map::MapRequest;
pub use secrets::NewSecret;

use domain::application::{Application, KeyMapping, KeyMode, KeyType, RESIDENT_KEY_MANAGER, RESIDENT_KEY_MANAGER_ID};
use domain::contract::KeyManagerError;
use domain::event::Event;
use domain::oauth::{ClientRegistration, IssuedToken, Principal, RegisteredClient};
use domain::{Failure, KeyMappingId, error_code};
use serde_json::{Map, Value};
use store::StoreError;
use store::apim::key_mappings;
use telemetry::error_chain::ErrorChain;

use crate::ControlPlane;
use crate::applications::{find_owned, parse_id};

/// What a consumer asks for (WSO2 `ApplicationKeyGenerateRequest`).
#[derive(Debug, Clone)]
pub struct KeyRequest {
    pub key_type: KeyType,
    /// Name or id of the key manager.
    pub key_manager: String,
    pub grant_types: Vec<String>,
    pub callback_url: String,
    pub scopes: Vec<String>,
    /// Lifetime of application tokens in seconds.
    pub validity_secs: Option<i64>,
    pub additional_properties: Map<String, Value>,
}

/// How a caller names one key of an application.
#[derive(Debug, Clone, Copy)]
pub enum KeyRef<'a> {
    /// By the id of its mapping.
    Mapping(&'a str),
    /// By its type (`PRODUCTION`, `SANDBOX`), at the built-in key manager.
    Type(&'a str),
}

/// A key with its OAuth client.
#[derive(Debug, Clone)]
pub struct KeyView {
    pub mapping: KeyMapping,
    pub client: RegisteredClient,
    /// A first token, right after generation.
    pub token: Option<IssuedToken>,
}

/// What a consumer asks of `generate-token` (WSO2 `ApplicationTokenGenerateRequest`).
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Must be the client's secret when given.
    pub consumer_secret: Option<domain::Secret<String>>,
    pub scopes: Vec<String>,
    pub validity_secs: Option<i64>,
}

pub(crate) fn from_key_manager(error: KeyManagerError) -> Failure {
    match error {
        KeyManagerError::Invalid { field, reason } => Failure::invalid(&field, reason),
        KeyManagerError::UnknownClient(id) => {
            Failure::refused(error_code::NOT_FOUND, format!("the key manager has no client '{id}'"))
        }
        KeyManagerError::Busy => Failure::Busy { retry_after_secs: 1 },
        KeyManagerError::Unavailable(cause) => {
            tracing::error!(error = %ErrorChain(cause.as_ref()), "the key manager cannot be reached");
            Failure::Busy { retry_after_secs: 1 }
        }
        other => Failure::internal(other),
    }
}

fn keys_exist(key_type: KeyType) -> Failure {
    Failure::refused(
        error_code::CONFLICT,
        format!("keyType: the application already has {} keys for this key manager", key_type.as_str()),
    )
}

fn key_not_found(id: &str) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("the application has no key mapping '{id}'"))
}

fn check_key_manager(name: &str) -> Result<(), Failure> {
    if name.eq_ignore_ascii_case(RESIDENT_KEY_MANAGER) || name == RESIDENT_KEY_MANAGER_ID {
        return Ok(());
    }
    Err(Failure::invalid("keyManager", format!("there is no key manager '{name}'")))
}

/// A lifetime from `additionalProperties`: a number or its text; `N/A` and blanks mean the default.
fn lifetime(properties: &Map<String, Value>, name: &str) -> Result<Option<i64>, Failure> {
    let invalid = || Failure::invalid("additionalProperties", format!("{name} must be a number of seconds or N/A"));
    match properties.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(invalid),
        Some(Value::String(text)) if text.trim().is_empty() || text.eq_ignore_ascii_case("N/A") => Ok(None),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| invalid()),
        Some(_) => Err(invalid()),
    }
}

impl ControlPlane {
    /// Makes an OAuth client for the application, and a first token when the client may use `client_credentials`.
    ///
    /// # Errors
    /// 404; 400 naming the field; 409 when the application has keys of this type.
    pub async fn generate_keys(
        &self,
        caller: &Principal,
        application_id: &str,
        request: KeyRequest,
    ) -> Result<KeyView, Failure> {
        let application = self.owned_application(caller, application_id).await?;
        check_key_manager(&request.key_manager)?;
        if self.mappings(&application).await?.iter().any(|mapping| mapping.key_type == request.key_type) {
            return Err(keys_exist(request.key_type));
        }
        let client = self
            .key_manager()
            .register_client(registration(caller, &application, &request)?)
            .await
            .map_err(from_key_manager)?;
        // The registration is idempotent by name: after a crash here the next try finds the same client.
        let mapping =
            self.store_mapping(&application, request.key_type, client.client.id.clone(), KeyMode::Created).await?;
        let has_application_tokens = client.client.grant_types.iter().any(|grant| grant == "client_credentials");
        let token = if has_application_tokens {
            let id = &client.client.id;
            let issued = self
                .key_manager()
                .issue_application_token(&caller.organization, id, &request.scopes, request.validity_secs)
                .await;
            Some(issued.map_err(from_key_manager)?)
        } else {
            None
        };
        Ok(KeyView { mapping, client, token })
    }

    async fn store_mapping(
        &self,
        application: &Application,
        key_type: KeyType,
        consumer_key: String,
        mode: KeyMode,
    ) -> Result<KeyMapping, Failure> {
        let now = self.now();
        let mapping = KeyMapping {
            id: KeyMappingId::random(),
            application_id: application.id,
            organization: application.organization.clone(),
            key_type,
            key_manager: RESIDENT_KEY_MANAGER.to_owned(),
            consumer_key,
            mode,
            created_at: now,
        };
        self.apim()
            .write(move |conn| {
                match key_mappings::insert(conn, &mapping) {
                    Ok(()) => {}
                    Err(StoreError::Conflict { .. }) => return Err(map::taken(&mapping)),
                    Err(other) => return Err(other.into()),
                }
                conn.append(now, Event::KeyMappingCreated(mapping.clone()));
                Ok(mapping.clone())
            })
            .await
    }

    /// The application's keys with their clients.
    ///
    /// # Errors
    /// 404.
    pub async fn list_keys(&self, caller: &Principal, application_id: &str) -> Result<Vec<KeyView>, Failure> {
        let application = self.owned_application(caller, application_id).await?;
        let mut views = Vec::new();
        for mapping in self.mappings(&application).await? {
            if let Some(view) = self.with_client(mapping).await? {
                views.push(view);
            }
        }
        Ok(views)
    }

    /// One key of the application.
    ///
    /// # Errors
    /// 404.
    pub async fn get_key(&self, caller: &Principal, application_id: &str, key: KeyRef<'_>) -> Result<KeyView, Failure> {
        let mapping = self.find_mapping(caller, application_id, key).await?;
        let id = mapping.id.to_string();
        self.with_client(mapping).await?.ok_or_else(|| key_not_found(&id))
    }

    async fn find_mapping(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
    ) -> Result<KeyMapping, Failure> {
        let application = self.owned_application(caller, application_id).await?;
        let mut mappings = self.mappings(&application).await?.into_iter();
        match key {
            KeyRef::Mapping(id) => {
                mappings.find(|mapping| mapping.id.to_string() == id).ok_or_else(|| key_not_found(id))
            }
            KeyRef::Type(text) => {
                let key_type = KeyType::parse(text)
                    .ok_or_else(|| Failure::invalid("keyType", format!("'{text}' is not PRODUCTION or SANDBOX")))?;
                mappings.find(|mapping| mapping.key_type == key_type).ok_or_else(|| {
                    Failure::refused(error_code::NOT_FOUND, format!("the application has no {text} keys"))
                })
            }
        }
    }

    /// An application token under one of the application's keys.
    ///
    /// # Errors
    /// 404; 400 when the consumer secret is not the client's, or is missing for a client that is only mapped.
    pub async fn generate_token(
        &self,
        caller: &Principal,
        application_id: &str,
        key: KeyRef<'_>,
        request: TokenRequest,
    ) -> Result<IssuedToken, Failure> {
        let mapping = self.find_mapping(caller, application_id, key).await?;
        if let Some(secret) = &request.consumer_secret {
            let fits = self.key_manager().is_client_secret(&mapping.organization, &mapping.consumer_key, secret);
            if !fits.await.map_err(from_key_manager)? {
                return Err(Failure::invalid("consumerSecret", "is not the secret of this key"));
            }
        } else if mapping.mode == KeyMode::Mapped {
            return Err(Failure::invalid("consumerSecret", "is needed, because the key was mapped and not made here"));
        }
        self.key_manager()
            .issue_application_token(
                &caller.organization,
                &mapping.consumer_key,
                &request.scopes,
                request.validity_secs,
            )
            .await
            .map_err(from_key_manager)
    }

    async fn owned_application(&self, caller: &Principal, id: &str) -> Result<Application, Failure> {
        let (id, caller) = (parse_id(id)?, caller.clone());
        self.apim().read(move |conn| find_owned(conn, &caller.organization, &caller.username, id)).await
    }

    async fn mappings(&self, application: &Application) -> Result<Vec<KeyMapping>, Failure> {
        let id = application.id;
        self.apim().read(move |conn| Ok(key_mappings::list(conn, id)?)).await
    }

    /// `None` when the client was deleted at the key manager.
    async fn with_client(&self, mapping: KeyMapping) -> Result<Option<KeyView>, Failure> {
        let client = self
            .key_manager()
            .find_client(&mapping.organization, &mapping.consumer_key)
            .await
            .map_err(from_key_manager)?;
        Ok(client.map(|client| shown(mapping, client)))
    }
}

/// Secrets of a mapped client belong to whoever registered it, who may change them without telling.
fn shown(mapping: KeyMapping, client: RegisteredClient) -> KeyView {
    let secret = client.secret.filter(|_| mapping.mode == KeyMode::Created);
    KeyView { client: RegisteredClient { secret, ..client }, mapping, token: None }
}

fn registration(
    caller: &Principal,
    application: &Application,
    request: &KeyRequest,
) -> Result<ClientRegistration, Failure> {
    let properties = &request.additional_properties;
    let application_lifetime = lifetime(properties, "application_access_token_expiry_time")?;
    Ok(ClientRegistration {
        organization: application.organization.clone(),
        name: format!("{}_{}_{}", application.owner, application.id, request.key_type.as_str()),
        owner: caller.username.clone(),
        grant_types: request.grant_types.clone(),
        callback_url: request.callback_url.clone(),
        is_saas_app: false,
        application_token_lifetime_secs: request.validity_secs.or(application_lifetime),
        user_token_lifetime_secs: lifetime(properties, "user_access_token_expiry_time")?,
        refresh_token_lifetime_secs: lifetime(properties, "refresh_token_expiry_time")?,
        is_portal_application: true,
        additional_properties: properties.clone(),
    })
}
