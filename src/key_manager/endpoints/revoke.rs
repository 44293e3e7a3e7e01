//! `POST /oauth2/revoke` (RFC 7009).

use actix_web::{HttpRequest, HttpResponse};
use domain::oauth::Client;
use domain::{Secret, Timestamp};
use security::client_secret;
use store::StoreError;
use store::apim::oauth::refresh_tokens;

use super::realm::Realm;
use super::{Body, Service};
use crate::error::OAuthError;
use crate::service::KeyManagerService;
use crate::token::verify::{Verified, VerifyError};
use crate::{client_auth, revocation};

const FOREIGN: OAuthError = OAuthError::UnauthorizedClient("the token was issued to another client");

pub(super) async fn revoke(service: Service, request: HttpRequest, body: Body) -> HttpResponse {
    match serve(&service, &request, body).await {
        Ok(()) => HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).finish(),
        Err(error) => super::answer::<()>(&service, Err(error)),
    }
}

/// Revokes whatever the token is: the hint only says where to look first, and both places are looked at anyway.
async fn serve(service: &KeyManagerService, request: &HttpRequest, body: Body) -> Result<(), OAuthError> {
    let parameters = super::parameters(request, body)?;
    let realm = Realm::of(service, request).await?;
    let client = client_auth::authenticate(service, request, &realm, &parameters).await?;
    let token = parameters.required("token")?;
    let now = service.now();
    match service.access_tokens.verify(token.expose(), now).await {
        Ok(verified) => revoke_access_token(service, &client, verified, now).await,
        Err(VerifyError::Refused(_) | VerifyError::Revoked) => revoke_refresh_token(service, &client, token, now).await,
        Err(VerifyError::Store(error)) => Err(error.into()),
        Err(error) => Err(OAuthError::internal(error)),
    }
}

/// Revokes the access token, and the refresh token that came with it.
async fn revoke_access_token(
    service: &KeyManagerService,
    client: &Client,
    Verified { organization, claims }: Verified,
    now: Timestamp,
) -> Result<(), OAuthError> {
    if claims.client_id != client.id {
        return Err(FOREIGN);
    }
    service
        .apim_db
        .write(move |conn| {
            let expires_at = Timestamp::from_secs(claims.exp);
            revocation::revoke_access_token(conn, &organization, &claims.jti, expires_at, now)?;
            if let Some(family_id) = refresh_tokens::find_family(conn, &claims.jti)? {
                revocation::revoke_family(conn, &family_id, now)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    service.metrics.revoked();
    Ok(())
}

/// Revokes the refresh token's family. What is no token at all is no error (RFC 7009 section 2.2).
async fn revoke_refresh_token(
    service: &KeyManagerService,
    client: &Client,
    token: &Secret<String>,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let hash = client_secret::hash(token);
    let Some(stored) = service.apim_db.read(move |conn| refresh_tokens::find(conn, &hash)).await? else {
        return Ok(());
    };
    if stored.client_id != client.id {
        return Err(FOREIGN);
    }
    service.apim_db.write(move |conn| revocation::revoke_family(conn, &stored.family_id, now)).await?;
    service.metrics.revoked();
    Ok(())
}
