//! `GET /oauth2/jwks` (RFC 7517 section 5): every key that a valid token may be signed by, and the next one.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use domain::Organization;
use security::signing_key::jwk_set;
use store::apim::oauth::signing_keys;

use super::Service;
use crate::error::OAuthError;

pub(super) async fn jwks(service: Service) -> HttpResponse {
    let now = service.now();
    let keys =
        service.apim_db.read(move |conn| signing_keys::list_published(conn, &Organization::super_tenant(), now)).await;
    match keys {
        Ok(keys) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "public, max-age=60"))
            .json(jwk_set(keys.into_iter().map(|key| key.public_jwk))),
        Err(error) => super::answer::<()>(&service, Err(OAuthError::from(error))),
    }
}
