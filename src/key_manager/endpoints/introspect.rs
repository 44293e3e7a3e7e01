//! `POST /oauth2/introspect` (RFC 7662), for administrators and for clients.

use actix_web::{HttpRequest, HttpResponse};
use domain::user::{role, user_with_tenant};
use domain::{Organization, Secret};
use security::client_secret;
use security::jwt::{AccessTokenClaims, AuthorizedUserType};
use serde::Serialize;
use store::apim::oauth::refresh_tokens::{self, RefreshToken};

use super::realm::Realm;
use super::{Body, Service};
use crate::basic;
use crate::client_auth;
use crate::error::OAuthError;
use crate::service::KeyManagerService;
use crate::token::verify::VerifyError;

/// RFC 7662 section 2.2, with `aut` as in the token.
#[derive(Debug, Default, Serialize)]
struct IntrospectionDto {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aut: Option<AuthorizedUserType>,
}

impl From<AccessTokenClaims> for IntrospectionDto {
    fn from(claims: AccessTokenClaims) -> Self {
        Self {
            active: true,
            scope: Some(claims.scope),
            client_id: Some(claims.client_id),
            username: Some(claims.sub.clone()),
            token_type: Some("Bearer"),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            nbf: Some(claims.nbf),
            sub: Some(claims.sub),
            aud: Some(claims.aud),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
            aut: Some(claims.aut),
        }
    }
}

impl From<RefreshToken> for IntrospectionDto {
    fn from(token: RefreshToken) -> Self {
        let user = user_with_tenant(&token.username, &token.organization);
        Self {
            active: true,
            scope: Some(token.scopes.join(" ")),
            client_id: Some(token.client_id),
            username: Some(user.clone()),
            token_type: Some("Refresh"),
            exp: Some(token.expires_at.as_secs()),
            iat: Some(token.issued_at.as_secs()),
            sub: Some(user),
            ..Self::default()
        }
    }
}

pub(super) async fn introspect(service: Service, request: HttpRequest, body: Body) -> HttpResponse {
    super::answer(&service, serve(&service, &request, body).await)
}

async fn serve(service: &KeyManagerService, request: &HttpRequest, body: Body) -> Result<IntrospectionDto, OAuthError> {
    let organization = authorize(service, request).await?;
    let parameters = super::parameters(request, body)?;
    let token = parameters.required("token")?;
    match service.access_tokens.verify(token.expose(), service.now()).await {
        // Tokens of other tenants are nobody's business here.
        Ok(verified) if verified.organization != organization => Ok(IntrospectionDto::default()),
        Ok(verified) => Ok(verified.claims.into()),
        Err(VerifyError::Revoked) => Ok(IntrospectionDto::default()),
        Err(VerifyError::Refused(_)) => of_refresh_token(service, &organization, token).await,
        Err(VerifyError::Store(error)) => Err(error.into()),
        Err(error) => Err(OAuthError::internal(error)),
    }
}

/// The tenant of the caller: a client with its secret, or a user with role `admin`.
async fn authorize(service: &KeyManagerService, request: &HttpRequest) -> Result<Organization, OAuthError> {
    let realm = Realm::of(service, request).await?;
    let credentials = basic::credentials(request).ok().flatten().ok_or(OAuthError::Unauthenticated)?;
    let client = client_auth::find(service, &client_auth::decoded(&credentials)).await?;
    if let Some(client) = client.filter(|client| realm.permits(&client.organization)) {
        return Ok(client.organization);
    }
    let user = service.users.authenticate(&realm.login(&credentials.name), &credentials.password).await?;
    let user = user.ok_or(OAuthError::Unauthenticated)?;
    if !user.has_role(role::ADMIN) {
        return Err(OAuthError::Forbidden("only administrators and clients may introspect tokens"));
    }
    Ok(user.organization)
}

async fn of_refresh_token(
    service: &KeyManagerService,
    organization: &Organization,
    token: &Secret<String>,
) -> Result<IntrospectionDto, OAuthError> {
    let hash = client_secret::hash(token);
    let stored = service.apim_db.read(move |conn| refresh_tokens::find(conn, &hash)).await?;
    let now = service.now();
    Ok(stored
        .filter(|token| token.organization == *organization && !token.is_rotated && token.expires_at > now)
        .map(IntrospectionDto::from)
        .unwrap_or_default())
}
