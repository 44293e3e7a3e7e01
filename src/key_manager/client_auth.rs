//! How a client proves who it is (RFC 6749 section 2.3): `client_secret_basic` or `client_secret_post`.

use actix_web::HttpRequest;
use domain::Secret;
use domain::oauth::Client;
use security::client_secret;
use store::StoreError;
use store::apim::oauth::{clients, secrets};

use crate::basic::{self, BasicCredentials};
use crate::endpoints::realm::Realm;
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::service::KeyManagerService;

/// Names of the methods for the discovery document.
pub(crate) const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// Longest client id in characters that is looked up.
const CLIENT_ID_CHARS_MAX: usize = 255;

/// The client that sends the request, by header or body, never both.
pub(crate) async fn authenticate(
    service: &KeyManagerService,
    request: &HttpRequest,
    realm: &Realm,
    parameters: &Parameters,
) -> Result<Client, OAuthError> {
    let presented = presented(request, parameters)?;
    let client = find(service, &presented).await?;
    client.filter(|client| realm.permits_client(client)).ok_or(OAuthError::InvalidClient)
}

/// The client whose id and secret these are, unless its tenant is not active.
pub(crate) async fn find(
    service: &KeyManagerService,
    presented: &BasicCredentials,
) -> Result<Option<Client>, OAuthError> {
    let (client_id, now) = (presented.name.clone(), service.now());
    if client_id.len() > CLIENT_ID_CHARS_MAX {
        return Ok(None);
    }
    let stored = service
        .apim_db
        .read(move |conn| {
            let Some(client) = clients::find(conn, &client_id)? else { return Ok(None) };
            let secrets = secrets::list(conn, &client_id, now)?;
            Ok::<_, StoreError>(Some((client, secrets)))
        })
        .await?;
    let Some((client, secrets)) = stored else { return Ok(None) };
    // Every secret is compared, so that the time does not tell which one fits.
    let fits =
        secrets.iter().fold(false, |fits, secret| client_secret::verify(&presented.password, &secret.hash) | fits);
    let is_served = fits && service.users.has_tenant(&client.organization).await?;
    Ok(is_served.then_some(client))
}

fn presented(request: &HttpRequest, parameters: &Parameters) -> Result<BasicCredentials, OAuthError> {
    let header = basic::credentials(request).map_err(|_| OAuthError::InvalidClient)?;
    let (id, secret) = (parameters.text("client_id"), parameters.get("client_secret"));
    match (header, id, secret) {
        (Some(_), _, Some(_)) => {
            Err(OAuthError::InvalidRequest("the client authenticates in the header and in the body".to_owned()))
        }
        (Some(header), id, None) => {
            let header = decoded(&header);
            if id.is_some_and(|id| id != header.name) {
                return Err(OAuthError::InvalidRequest("header and body name different clients".to_owned()));
            }
            Ok(header)
        }
        (None, Some(id), Some(secret)) => Ok(BasicCredentials { name: id.to_owned(), password: secret.clone() }),
        (None, _, _) => Err(OAuthError::InvalidClient),
    }
}

/// RFC 6749 section 2.3.1 has id and secret encoded as in a form before they go into the header; most clients leave that
/// out. Generated ids and secrets hold no character that the encoding touches, so decoding fits both.
pub(crate) fn decoded(header: &BasicCredentials) -> BasicCredentials {
    if !header.name.contains('%') && !header.password.expose().contains('%') {
        return BasicCredentials { name: header.name.clone(), password: header.password.clone() };
    }
    let decode = |text: &str| {
        let pair = format!("x={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    BasicCredentials { name: decode(&header.name), password: Secret::new(decode(header.password.expose())) }
}
