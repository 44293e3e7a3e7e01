//! What the grants that speak for a user share: an access token and the refresh token that comes with it.

use domain::oauth::Client;
use domain::user::User;
use domain::{Secret, Timestamp};
use security::client_secret;
use security::jwt::AuthorizedUserType;
use store::apim::oauth::refresh_tokens::RefreshToken;

use super::{GrantType, is_registered};
use crate::error::OAuthError;
use crate::lifetime;
use crate::service::KeyManagerService;
use crate::token::issue::{self, AccessToken, Grant};
use crate::token::scopes;

/// The scopes that a token for the user gets.
pub(super) async fn granted_scopes(
    service: &KeyManagerService,
    client: &Client,
    user: &User,
    requested: &[String],
) -> Result<Vec<String>, OAuthError> {
    let registered = scopes::find_registered(&service.apim_db, &user.organization, requested).await?;
    Ok(scopes::grant(client, requested, &registered, &user.roles, service.oauth.unknown_scopes))
}

/// An access token with which the client speaks for the user.
pub(super) async fn access_token(
    service: &KeyManagerService,
    client: &Client,
    user: &User,
    scopes: Vec<String>,
    now: Timestamp,
) -> Result<AccessToken, OAuthError> {
    let grant = Grant {
        client,
        organization: &user.organization,
        subject: domain::user::user_with_tenant(&user.username, &user.organization),
        aut: AuthorizedUserType::ApplicationUser,
        scopes,
        lifetime_secs: issue::user_lifetime(service, client),
    };
    issue::access_token(service, grant, now).await
}

/// The refresh token that goes with `access`, and its row; `None` when the client is not registered for refreshing.
pub(super) fn refresh_token(
    service: &KeyManagerService,
    client: &Client,
    user: &User,
    access: &AccessToken,
    family: Family,
    now: Timestamp,
) -> Result<Option<(Secret<String>, RefreshToken)>, OAuthError> {
    if !is_registered(client, GrantType::RefreshToken) {
        return Ok(None);
    }
    let token = client_secret::generate().map_err(OAuthError::internal)?;
    let lifetime_secs =
        lifetime::resolve(client.refresh_token_lifetime_secs, service.oauth.refresh_token_lifetime.get());
    let row = RefreshToken {
        token_hash: client_secret::hash(&token),
        organization: user.organization.clone(),
        family_id: family.id,
        client_id: client.id.clone(),
        username: user.username.clone(),
        scopes: family.scopes,
        is_rotated: false,
        access_token_id: access.jti.clone(),
        access_expires_at: access.expires_at,
        issued_at: now,
        expires_at: lifetime::after(now, lifetime_secs),
    };
    Ok(Some((token, row)))
}

/// What the refresh tokens of one log-in have in common.
pub(super) struct Family {
    pub(super) id: String,
    /// Scopes that were granted first.
    pub(super) scopes: Vec<String>,
}
