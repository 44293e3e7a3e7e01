//! `refresh_token` (RFC 6749 section 6) with rotation: each use replaces the token and revokes the access token that came
//! with it. A token that is used a second time was stolen from somebody, so its whole family is revoked (RFC 9700
//! section 4.14).

use domain::Timestamp;
use domain::oauth::Client;
use security::client_secret;
use store::apim::oauth::refresh_tokens::{self, RefreshToken};
use store::{ApimConn, StoreError};

use super::user_tokens::{self, Family};
use crate::endpoints::realm::Realm;
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::revocation;
use crate::service::KeyManagerService;
use crate::token::issue::TokenResponseDto;
use crate::token::scopes;

const REFUSED: OAuthError = OAuthError::InvalidGrant("the refresh token is not valid");

pub(super) async fn serve(
    service: &KeyManagerService,
    client: &Client,
    realm: &Realm,
    parameters: &Parameters,
) -> Result<TokenResponseDto, OAuthError> {
    let requested = scopes::parse(parameters.text("scope").unwrap_or_default())?;
    let now = service.now();
    let presented = find(service, client, parameters, now).await?;
    if !realm.permits(&presented.organization) {
        return Err(REFUSED);
    }
    let user = service.users.find(&presented.username, &presented.organization).await?.ok_or(REFUSED)?;
    let wished = narrowed(&presented.scopes, requested);
    let granted = user_tokens::granted_scopes(service, client, &user, &wished).await?;
    let access = user_tokens::access_token(service, client, &user, granted, now).await?;
    // The new token keeps the scopes of the first one, also when this access token has fewer.
    let family = Family { id: presented.family_id.clone(), scopes: presented.scopes.clone() };
    let (token, row) = user_tokens::refresh_token(service, client, &user, &access, family, now)?.ok_or(REFUSED)?;
    match service.apim_db.write(move |conn| replace(conn, &presented, &row, now)).await? {
        Outcome::Replaced => Ok(TokenResponseDto::new(&access, Some(&token))),
        Outcome::Reused => Err(reused(service, client)),
    }
}

/// The presented token's row. One that was replaced before ends its family.
async fn find(
    service: &KeyManagerService,
    client: &Client,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<RefreshToken, OAuthError> {
    let hash = client_secret::hash(parameters.required("refresh_token")?);
    let stored = service.apim_db.read(move |conn| refresh_tokens::find(conn, &hash)).await?;
    let stored = stored.filter(|token| token.client_id == client.id && token.expires_at > now).ok_or(REFUSED)?;
    if !stored.is_rotated {
        return Ok(stored);
    }
    service.apim_db.write(move |conn| revocation::revoke_family(conn, &stored.family_id, now)).await?;
    Err(reused(service, client))
}

fn reused(service: &KeyManagerService, client: &Client) -> OAuthError {
    service.metrics.reused();
    tracing::warn!(client.id = %client.id, "a refresh token was used twice, its family is revoked");
    REFUSED
}

/// The requested scopes that the token was granted; all of them when none is requested.
fn narrowed(granted: &[String], requested: Vec<String>) -> Vec<String> {
    if requested.is_empty() {
        return granted.to_vec();
    }
    requested.into_iter().filter(|scope| granted.contains(scope)).collect()
}

enum Outcome {
    Replaced,
    /// Another request was faster with the same token.
    Reused,
}

fn replace(conn: &mut ApimConn, old: &RefreshToken, new: &RefreshToken, now: Timestamp) -> Result<Outcome, StoreError> {
    if !refresh_tokens::rotate(conn, &old.token_hash)? {
        revocation::revoke_family(conn, &old.family_id, now)?;
        return Ok(Outcome::Reused);
    }
    refresh_tokens::insert(conn, new)?;
    revocation::revoke_access_token(conn, &old.organization, &old.access_token_id, old.access_expires_at, now)?;
    Ok(Outcome::Replaced)
}
