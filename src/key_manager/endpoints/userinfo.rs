//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core section 5.3), with errors as in RFC 6750 section 3.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse};
use domain::Organization;
use security::jwt::{AccessTokenClaims, AuthorizedUserType, TOKEN_BYTES_MAX};
use serde::Serialize;

use super::Service;
use super::realm::Realm;
use crate::error::OAuthError;
use crate::service::KeyManagerService;
use crate::token::verify::{Verified, VerifyError};

/// Scope that opens the endpoint.
const OPENID: &str = "openid";

#[derive(Serialize)]
struct UserInfoDto {
    /// As in the token: `user@tenant`.
    sub: String,
}

/// Why there is no answer about the user.
enum Refusal {
    /// No bearer token was sent: some portals send one as `Basic`, which is answered without any look at it.
    NoToken,
    InvalidToken,
    InsufficientScope,
    Other(OAuthError),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Other(error)
    }
}

pub(super) async fn userinfo(service: Service, request: HttpRequest) -> HttpResponse {
    match serve(&service, &request).await {
        Ok(body) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body),
        Err(Refusal::NoToken) => challenge(HttpResponse::Unauthorized(), &service.realm, ""),
        Err(Refusal::InvalidToken) => {
            challenge(HttpResponse::Unauthorized(), &service.realm, ", error=\"invalid_token\"")
        }
        Err(Refusal::InsufficientScope) => {
            challenge(HttpResponse::Forbidden(), &service.realm, ", error=\"insufficient_scope\", scope=\"openid\"")
        }
        Err(Refusal::Other(error)) => super::answer::<()>(&service, Err(error)),
    }
}

fn challenge(mut answer: actix_web::HttpResponseBuilder, realm: &str, error: &str) -> HttpResponse {
    answer
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((WWW_AUTHENTICATE, format!("Bearer realm=\"{realm}\"{error}")))
        .finish()
}

async fn serve(service: &KeyManagerService, request: &HttpRequest) -> Result<UserInfoDto, Refusal> {
    let realm = Realm::of(service, request).await?;
    let token = bearer(request).ok_or(Refusal::NoToken)?;
    let verified = match service.access_tokens.verify(token, service.now()).await {
        Ok(verified) => verified,
        Err(VerifyError::Refused(_) | VerifyError::Revoked) => return Err(Refusal::InvalidToken),
        Err(VerifyError::Store(error)) => return Err(OAuthError::from(error).into()),
        Err(error) => return Err(OAuthError::internal(error).into()),
    };
    let Verified { organization, claims } = verified;
    if !realm.permits(&organization) || !speaks_for_its_user(service, &organization, &claims).await? {
        return Err(Refusal::InvalidToken);
    }
    if !claims.scopes().any(|scope| scope == OPENID) {
        return Err(Refusal::InsufficientScope);
    }
    Ok(UserInfoDto { sub: claims.sub })
}

/// The token of exactly one `Authorization: Bearer` header.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().filter(|header| header.len() <= TOKEN_BYTES_MAX)?;
    if headers.next().is_some() {
        return None;
    }
    let (scheme, token) = header.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the token was issued to a user who still exists, and not to an application.
async fn speaks_for_its_user(
    service: &KeyManagerService,
    organization: &Organization,
    claims: &AccessTokenClaims,
) -> Result<bool, OAuthError> {
    let Some((username, domain)) = claims.sub.rsplit_once('@') else { return Ok(false) };
    if claims.aut != AuthorizedUserType::ApplicationUser || domain != organization.as_str() {
        return Ok(false);
    }
    Ok(service.users.find(username, organization).await?.is_some())
}
