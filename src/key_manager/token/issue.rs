//! Making access tokens (RFC 9068) and the token endpoint's answer.

use domain::oauth::Client;
use domain::{Organization, Secret, Timestamp};
use security::jwt::{self, ACCESS_TOKEN_TYPE, AccessTokenClaims, AuthorizedUserType};
use serde::Serialize;

use crate::error::OAuthError;
use crate::lifetime;
use crate::service::KeyManagerService;

/// An access token and what has to be remembered of it.
pub(crate) struct AccessToken {
    pub(crate) token: Secret<String>,
    pub(crate) jti: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_in: i64,
    pub(crate) expires_at: Timestamp,
}

/// What an access token says.
pub(crate) struct Grant<'a> {
    pub(crate) client: &'a Client,
    /// The tenant of the subject, whose issuer makes the token.
    pub(crate) organization: &'a Organization,
    /// `user@tenant`.
    pub(crate) subject: String,
    pub(crate) aut: AuthorizedUserType,
    pub(crate) scopes: Vec<String>,
    pub(crate) lifetime_secs: i64,
}

/// Answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Serialize)]
pub(crate) struct TokenResponseDto {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
    token_type: &'static str,
    expires_in: i64,
}

impl TokenResponseDto {
    pub(crate) fn new(access: &AccessToken, refresh: Option<&Secret<String>>) -> Self {
        Self {
            access_token: access.token.expose().clone(),
            refresh_token: refresh.map(|token| token.expose().clone()),
            scope: access.scopes.join(" "),
            token_type: "Bearer",
            expires_in: access.expires_in,
        }
    }
}

/// Signs an access token. Nothing is stored: an earlier token of the same client goes on being valid.
pub(crate) async fn access_token(
    service: &KeyManagerService,
    grant: Grant<'_>,
    now: Timestamp,
) -> Result<AccessToken, OAuthError> {
    let jti = uuid::Uuid::new_v4().to_string();
    let issued_at = now.as_secs();
    let expires_at = issued_at.saturating_add(grant.lifetime_secs);
    let claims = AccessTokenClaims {
        sub: grant.subject,
        aut: grant.aut,
        aud: grant.client.id.clone(),
        azp: grant.client.id.clone(),
        client_id: grant.client.id.clone(),
        nbf: issued_at,
        iat: issued_at,
        exp: expires_at,
        iss: service.signing.issuer_of(grant.organization),
        jti: jti.clone(),
        scope: grant.scopes.join(" "),
    };
    let key = service.signing.covering(grant.organization, Timestamp::from_secs(expires_at)).await?;
    let token = jwt::sign(&key, ACCESS_TOKEN_TYPE, &claims).map_err(OAuthError::internal)?;
    Ok(AccessToken {
        token,
        jti,
        scopes: grant.scopes,
        expires_in: grant.lifetime_secs,
        expires_at: Timestamp::from_secs(expires_at),
    })
}

/// Life of a token with which the client speaks for itself.
pub(crate) fn application_lifetime(service: &KeyManagerService, client: &Client) -> i64 {
    lifetime::resolve(client.application_token_lifetime_secs, service.oauth.application_token_lifetime.get())
}

/// Life of a token with which the client speaks for a user.
pub(crate) fn user_lifetime(service: &KeyManagerService, client: &Client) -> i64 {
    lifetime::resolve(client.user_token_lifetime_secs, service.oauth.user_token_lifetime.get())
}
