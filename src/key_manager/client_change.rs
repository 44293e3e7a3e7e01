//! Changing a registered client.

use domain::Organization;
use domain::contract::KeyManagerError;
use domain::oauth::{Client, ClientChange, RegisteredClient};
use store::apim::oauth::{clients as rows, secrets};
use store::{ApimConn, StoreError, TransactionError};

use crate::clients;
use crate::error::OAuthError;
use crate::service::KeyManagerService;

/// Why a change of a client or its secrets was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotChanged {
    #[error("there is no such client")]
    UnknownClient(String),
    /// The rule that it breaks; the field is the wire's.
    #[error("{field}: {reason}")]
    Refused { field: &'static str, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransactionError for NotChanged {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

impl From<NotChanged> for KeyManagerError {
    fn from(error: NotChanged) -> Self {
        match error {
            NotChanged::UnknownClient(id) => Self::UnknownClient(id),
            NotChanged::Refused { field, reason } => Self::invalid(field, reason),
            NotChanged::Store(error) => OAuthError::from(error).into(),
        }
    }
}

/// The organization's client.
pub(crate) fn find(conn: &mut ApimConn, organization: &Organization, client_id: &str) -> Result<Client, NotChanged> {
    rows::find(conn, client_id)?
        .filter(|client| client.organization == *organization)
        .ok_or_else(|| NotChanged::UnknownClient(client_id.to_owned()))
}

/// Stores the new state; secrets and tokens stay.
pub(crate) async fn update(
    service: &KeyManagerService,
    organization: &Organization,
    client_id: &str,
    change: ClientChange,
) -> Result<RegisteredClient, KeyManagerError> {
    clients::check_changeable(&change.callback_url, &change.grant_types)?;
    let now = service.now();
    let (organization, client_id) = (organization.clone(), client_id.to_owned());
    let (client, newest) = service
        .apim_db
        .write(move |conn| {
            let client = changed(find(conn, &organization, &client_id)?, change.clone());
            rows::update(conn, &client)?;
            let newest = secrets::list(conn, &client.id, now)?.into_iter().next();
            Ok::<_, NotChanged>((client, newest))
        })
        .await?;
    let secret = match newest {
        Some(row) => clients::open(service, &row)?,
        None => None,
    };
    Ok(RegisteredClient { client, secret })
}

fn changed(client: Client, change: ClientChange) -> Client {
    Client {
        grant_types: change.grant_types,
        callback_url: change.callback_url,
        application_token_lifetime_secs: change.application_token_lifetime_secs,
        user_token_lifetime_secs: change.user_token_lifetime_secs,
        refresh_token_lifetime_secs: change.refresh_token_lifetime_secs,
        additional_properties: change.additional_properties,
        ..client
    }
}
