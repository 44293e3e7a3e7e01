//! Registration of OAuth clients: the same name and owner always mean the same client.

use std::time::Duration;

use config::sections::oauth::SecretsMode;
use domain::contract::KeyManagerError;
use domain::oauth::{Client, ClientRegistration, RegisteredClient};
use domain::runtime::{Revocation, RevocationEntry};
use domain::{EventId, Organization, Secret, Timestamp};
use security::{client_secret, random};
use store::apim::oauth::secrets::StoredSecret;
use store::apim::oauth::{clients, revocations, secrets};
use store::{ApimConn, StoreError};

use crate::error::OAuthError;
use crate::lifetime;
use crate::service::KeyManagerService;

const NAME_CHARS_MAX: usize = 255;
const CALLBACK_URL_CHARS_MAX: usize = 2048;
const GRANT_TYPES_MAX: usize = 20;
const GRANT_TYPE_CHARS_MAX: usize = 100;

/// Makes the client, or brings the one with this name and owner to the wished state.
pub(crate) async fn register(
    service: &KeyManagerService,
    registration: ClientRegistration,
) -> Result<RegisteredClient, KeyManagerError> {
    check(&registration)?;
    match try_register(service, registration.clone()).await {
        // Somebody registered the same name at the same time: it is there now.
        Err(Refusal::Store(StoreError::Conflict { .. })) => try_register(service, registration).await,
        outcome => outcome,
    }
    .map_err(KeyManagerError::from)
}

/// Why a registration failed, before it has a place on the wire.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Other(#[from] OAuthError),
    /// The name is used by the other kind of client.
    #[error("the name belongs to a client of another kind")]
    OtherKind,
}

impl store::TransactionError for Refusal {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

impl From<Refusal> for KeyManagerError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => OAuthError::from(error).into(),
            Refusal::Other(error) => error.into(),
            Refusal::OtherKind => Self::invalid("clientName", refusal.to_string()),
        }
    }
}

async fn try_register(
    service: &KeyManagerService,
    registration: ClientRegistration,
) -> Result<RegisteredClient, Refusal> {
    let now = service.now();
    let fresh_id = random::identifier().map_err(OAuthError::internal)?;
    let (fresh_secret, fresh_row) = new_secret(service, now)?;
    let stored = service.apim_db.write(move |conn| upsert(conn, &registration, &fresh_id, &fresh_row, now)).await?;
    let secret = match stored.secret {
        None => Some(fresh_secret),
        Some(row) => open(service, &row)?,
    };
    Ok(RegisteredClient { client: stored.client, secret })
}

/// A client, and the stored secret when it was there before.
struct Upserted {
    client: Client,
    secret: Option<StoredSecret>,
}

fn upsert(
    conn: &mut ApimConn,
    wished: &ClientRegistration,
    fresh_id: &str,
    fresh_secret: &StoredSecret,
    now: Timestamp,
) -> Result<Upserted, Refusal> {
    let Some(present) = clients::find_by_name(conn, &wished.organization, &wished.name, &wished.owner)? else {
        let client = client(fresh_id.to_owned(), wished, now);
        clients::insert(conn, &client)?;
        secrets::insert(conn, &client.organization, &client.id, fresh_secret)?;
        return Ok(Upserted { client, secret: None });
    };
    if present.is_portal_application != wished.is_portal_application {
        // Else registering a tool under an application's name would give the application a tool's rights.
        return Err(Refusal::OtherKind);
    }
    let client = client(present.id, wished, present.created_at);
    clients::update(conn, &client)?;
    let secret = secrets::list(conn, &client.id, now)?.into_iter().next();
    if secret.is_none() {
        secrets::insert(conn, &client.organization, &client.id, fresh_secret)?;
    }
    Ok(Upserted { client, secret })
}

fn client(id: String, wished: &ClientRegistration, created_at: Timestamp) -> Client {
    Client {
        id,
        organization: wished.organization.clone(),
        name: wished.name.clone(),
        owner: wished.owner.clone(),
        grant_types: wished.grant_types.clone(),
        callback_url: wished.callback_url.clone(),
        is_saas_app: wished.is_saas_app,
        application_token_lifetime_secs: wished.application_token_lifetime_secs,
        user_token_lifetime_secs: wished.user_token_lifetime_secs,
        refresh_token_lifetime_secs: wished.refresh_token_lifetime_secs,
        is_portal_application: wished.is_portal_application,
        additional_properties: wished.additional_properties.clone(),
        created_at,
    }
}

/// A secret in clear, and the row that stands for it.
pub(crate) fn new_secret(
    service: &KeyManagerService,
    now: Timestamp,
) -> Result<(Secret<String>, StoredSecret), OAuthError> {
    let secret = client_secret::generate().map_err(OAuthError::internal)?;
    let id = EventId::random().to_string();
    let sealed = match service.oauth.secrets {
        SecretsMode::HashOnly => None,
        SecretsMode::Encrypted => Some(
            service
                .key_encryption_key
                .seal(client_secret::SEAL_PURPOSE, &id, secret.expose().as_bytes())
                .map_err(OAuthError::internal)?,
        ),
    };
    let row = StoredSecret {
        id,
        hash: client_secret::hash(&secret),
        sealed,
        properties: serde_json::Map::new(),
        created_at: now,
        expires_at: None,
    };
    Ok((secret, row))
}

/// The secret in clear, unless secrets are kept as hashes only.
pub(crate) fn open(service: &KeyManagerService, row: &StoredSecret) -> Result<Option<Secret<String>>, OAuthError> {
    let Some(sealed) = row.sealed.as_deref().filter(|_| service.oauth.secrets == SecretsMode::Encrypted) else {
        return Ok(None);
    };
    service
        .key_encryption_key
        .open_text(client_secret::SEAL_PURPOSE, &row.id, sealed)
        .map(Some)
        .map_err(OAuthError::internal)
}

/// The organization's client with its secret.
pub(crate) async fn find(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
) -> Result<Option<RegisteredClient>, OAuthError> {
    let now = service.now();
    let (organization, client_id) = (organization.clone(), client_id.to_owned());
    let stored = service
        .apim_db
        .read(move |conn| {
            let client = clients::find(conn, &client_id)?.filter(|client| client.organization == organization);
            let Some(client) = client else { return Ok(None) };
            let secret = secrets::list(conn, &client.id, now)?.into_iter().next();
            Ok::<_, StoreError>(Some((client, secret)))
        })
        .await?;
    let Some((client, row)) = stored else { return Ok(None) };
    let secret = match row {
        Some(row) => open(service, &row)?,
        None => None,
    };
    Ok(Some(RegisteredClient { client, secret }))
}

/// Deletes the client; its tokens are refused from now on.
pub(crate) async fn delete(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
) -> Result<(), OAuthError> {
    let now = service.now();
    let (organization, client_id) = (organization.clone(), client_id.to_owned());
    let defaults = default_lifetimes(service);
    service
        .apim_db
        .write(move |conn| {
            let client = clients::find(conn, &client_id)?.filter(|client| client.organization == organization);
            let Some(client) = client else { return Ok(()) };
            clients::delete(conn, &organization, &client_id)?;
            revoke_tokens(conn, &client, defaults, now, now)
        })
        .await?;
    Ok(())
}

/// Of application tokens and of user tokens.
pub(crate) fn default_lifetimes(service: &KeyManagerService) -> [Duration; 2] {
    [service.oauth.application_token_lifetime.get(), service.oauth.user_token_lifetime.get()]
}

/// Revokes every token of the client that was issued before `before`.
pub(crate) fn revoke_tokens(
    conn: &mut ApimConn,
    client: &Client,
    defaults: [Duration; 2],
    before: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let own = [client.application_token_lifetime_secs, client.user_token_lifetime_secs];
    let longest = own.into_iter().zip(defaults).map(|(own, default)| lifetime::resolve(own, default)).max();
    let entry = RevocationEntry {
        organization: client.organization.clone(),
        revocation: Revocation::ConsumerKey { consumer_key: client.id.clone(), before },
        expires_at: lifetime::after(now, longest.unwrap_or(lifetime::NEVER_SECS)),
    };
    revocations::insert(conn, &entry, now)
}

fn check(registration: &ClientRegistration) -> Result<(), KeyManagerError> {
    let invalid = |field: &'static str, reason: &str| Err(KeyManagerError::invalid(field, reason));
    let is_printable = |text: &str| !text.chars().any(char::is_control);
    if registration.name.trim().is_empty() {
        return invalid("clientName", "must not be empty");
    }
    if registration.name.chars().count() > NAME_CHARS_MAX || !is_printable(&registration.name) {
        return invalid("clientName", "has more than 255 characters or a control character");
    }
    check_changeable(&registration.callback_url, &registration.grant_types)
}

/// What registration and change have in common.
pub(crate) fn check_changeable(callback_url: &str, grant_types: &[String]) -> Result<(), KeyManagerError> {
    let invalid = |field: &'static str, reason: &str| Err(KeyManagerError::invalid(field, reason));
    let is_printable = |text: &str| !text.chars().any(char::is_control);
    if callback_url.chars().count() > CALLBACK_URL_CHARS_MAX || !is_printable(callback_url) {
        return invalid("callbackUrl", "has more than 2048 characters or a control character");
    }
    let is_grant_type = |text: &String| {
        !text.is_empty()
            && text.len() <= GRANT_TYPE_CHARS_MAX
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
    };
    if grant_types.is_empty() || grant_types.len() > GRANT_TYPES_MAX || !grant_types.iter().all(is_grant_type) {
        return invalid("grantType", "must name 1 to 20 grant types with spaces between them");
    }
    Ok(())
}
