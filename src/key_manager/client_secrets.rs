//! Several secrets for one client, so that an application can change over without a gap: make the second, move to it,
//! revoke the first.

use std::time::Duration;

use domain::contract::KeyManagerError;
use domain::oauth::ClientSecret;
use domain::{Organization, Secret, Timestamp};
use serde_json::{Map, Value};
use store::apim::oauth::secrets::{self, StoredSecret};

use crate::basic::BasicCredentials;
use crate::client_change::{self, NotChanged};
use crate::error::OAuthError;
use crate::service::KeyManagerService;
use crate::{client_auth, clients};

/// Most secrets of one client that count at a time.
const SECRETS_MAX: usize = 10;
/// Longest life that can be asked for: a hundred years.
const LIFETIME_SECS_MAX: u64 = 100 * 366 * 24 * 3600;
/// Longest text of the properties of one secret in bytes, as JSON.
const PROPERTIES_BYTES_MAX: usize = 4096;

/// Whether the client may use this secret now.
pub(crate) async fn fits(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
    secret: &Secret<String>,
) -> Result<bool, OAuthError> {
    let presented = BasicCredentials { name: client_id.to_owned(), password: secret.clone() };
    let found = client_auth::find(service, &presented).await?;
    Ok(found.is_some_and(|client| client.organization == *organization))
}

/// The secrets that count, the newest first.
pub(crate) async fn list(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
) -> Result<Vec<ClientSecret>, KeyManagerError> {
    let now = service.now();
    let (organization, client_id) = (organization.clone(), client_id.to_owned());
    let rows = service
        .apim_db
        .read(move |conn| {
            client_change::find(conn, &organization, &client_id)?;
            Ok::<_, NotChanged>(secrets::list(conn, &client_id, now)?)
        })
        .await?;
    rows.into_iter()
        .map(|row| {
            let value = clients::open(service, &row)?;
            Ok(shown(row, value))
        })
        .collect()
}

fn shown(row: StoredSecret, value: Option<Secret<String>>) -> ClientSecret {
    ClientSecret {
        id: row.id,
        value,
        properties: row.properties,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}

/// One more secret beside those that count.
pub(crate) async fn add(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
    lifetime_secs: Option<u64>,
    properties: Map<String, Value>,
) -> Result<ClientSecret, KeyManagerError> {
    check(lifetime_secs, &properties)?;
    let now = service.now();
    let (secret, row) = clients::new_secret(service, now)?;
    let expires_at = lifetime_secs.map(|secs| now.plus(Duration::from_secs(secs)));
    let row = StoredSecret { properties, expires_at, ..row };
    let stored = row.clone();
    let (organization, client_id) = (organization.clone(), client_id.to_owned());
    service
        .apim_db
        .write(move |conn| {
            let client = client_change::find(conn, &organization, &client_id)?;
            secrets::delete_expired(conn, &client.id, now)?;
            if secrets::list(conn, &client.id, now)?.len() >= SECRETS_MAX {
                let reason = format!("the key has {SECRETS_MAX} secrets, which is the most; revoke one first");
                return Err(NotChanged::Refused { field: "consumerSecrets", reason });
            }
            Ok(secrets::insert(conn, &client.organization, &client.id, &stored)?)
        })
        .await?;
    Ok(shown(row, Some(secret)))
}

fn check(lifetime_secs: Option<u64>, properties: &Map<String, Value>) -> Result<(), KeyManagerError> {
    let invalid = |reason: String| Err(KeyManagerError::invalid("additionalProperties", reason));
    if lifetime_secs.is_some_and(|secs| secs == 0 || secs > LIFETIME_SECS_MAX) {
        return invalid(format!("expiresIn must be 1 to {LIFETIME_SECS_MAX} seconds"));
    }
    let length = serde_json::to_string(properties).map_or(usize::MAX, |text| text.len());
    if length > PROPERTIES_BYTES_MAX {
        return invalid(format!("has more than {PROPERTIES_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// Ends one secret; says whether there was such a secret.
pub(crate) async fn revoke(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
    secret_id: &str,
) -> Result<bool, KeyManagerError> {
    let (organization, client_id, secret_id) = (organization.clone(), client_id.to_owned(), secret_id.to_owned());
    let existed = service
        .apim_db
        .write(move |conn| {
            let client = client_change::find(conn, &organization, &client_id)?;
            Ok::<_, NotChanged>(secrets::delete(conn, &client.id, &secret_id)?)
        })
        .await?;
    Ok(existed)
}

/// Puts one new secret in the place of all, and revokes the tokens of the client.
///
/// Tokens tell their time in whole seconds, and a revocation concerns those before a time. All of the present second are
/// revoked, so the new secret is handed out once that second is over: no token can be got with it that is revoked already.
pub(crate) async fn regenerate(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
) -> Result<ClientSecret, KeyManagerError> {
    let now = service.now();
    let next_second = Timestamp::from_secs(now.as_secs() + 1);
    let (secret, row) = clients::new_secret(service, now)?;
    let stored = row.clone();
    let defaults = clients::default_lifetimes(service);
    let (organization, client_id) = (organization.clone(), client_id.to_owned());
    service
        .apim_db
        .write(move |conn| {
            let client = client_change::find(conn, &organization, &client_id)?;
            secrets::delete_all(conn, &client.id)?;
            secrets::insert(conn, &client.organization, &client.id, &stored)?;
            Ok::<_, NotChanged>(clients::revoke_tokens(conn, &client, defaults, next_second, now)?)
        })
        .await?;
    tokio::time::sleep(next_second.since(service.now())).await;
    Ok(shown(row, Some(secret)))
}
