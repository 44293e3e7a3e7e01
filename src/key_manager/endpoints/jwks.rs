//! `GET /oauth2/jwks` (RFC 7517 section 5): every key that a valid token may be signed by, and the next one.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse};
use security::signing_key::jwk_set;
use store::apim::oauth::signing_keys::{self, StoredSigningKey};

use super::Service;
use super::realm::Realm;
use crate::error::OAuthError;
use crate::service::KeyManagerService;

pub(super) async fn jwks(service: Service, request: HttpRequest) -> HttpResponse {
    match serve(&service, &request).await {
        Ok(keys) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "public, max-age=60"))
            .json(jwk_set(keys.into_iter().map(|key| key.public_jwk))),
        Err(error) => super::answer::<()>(&service, Err(error)),
    }
}

async fn serve(service: &KeyManagerService, request: &HttpRequest) -> Result<Vec<StoredSigningKey>, OAuthError> {
    let (organization, now) = (Realm::of(service, request).await?.organization(), service.now());
    Ok(service.apim_db.read(move |conn| signing_keys::list_published(conn, &organization, now)).await?)
}
