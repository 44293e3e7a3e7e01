//! `password` (RFC 6749 section 4.3), for clients that are registered for it: command line tools.

use domain::oauth::Client;
use store::StoreError;
use store::apim::oauth::refresh_tokens;

use super::user_tokens::{self, Family};
use crate::endpoints::realm::{Realm, serves_every_tenant};
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::service::KeyManagerService;
use crate::token::issue::TokenResponseDto;
use crate::token::scopes;

const WRONG: OAuthError = OAuthError::InvalidGrant("the user name or the password is wrong");

pub(super) async fn serve(
    service: &KeyManagerService,
    client: &Client,
    realm: &Realm,
    parameters: &Parameters,
) -> Result<TokenResponseDto, OAuthError> {
    let requested = scopes::parse(parameters.text("scope").unwrap_or_default())?;
    let username = parameters.required("username")?.expose();
    let password = parameters.required("password")?;
    let user = service.users.authenticate(&realm.login(username), password).await?;
    let user = user.ok_or(WRONG)?;
    let is_served = user.organization == client.organization || serves_every_tenant(client);
    if !is_served || !realm.permits(&user.organization) {
        return Err(WRONG);
    }
    let granted = user_tokens::granted_scopes(service, client, &user, &requested).await?;
    let now = service.now();
    let access = user_tokens::access_token(service, client, &user, granted.clone(), now).await?;
    let family = Family { id: uuid::Uuid::new_v4().to_string(), scopes: granted };
    let refresh = user_tokens::refresh_token(service, client, &user, &access, family, now)?;
    let Some((token, row)) = refresh else { return Ok(TokenResponseDto::new(&access, None)) };
    service.apim_db.write(move |conn| refresh_tokens::insert(conn, &row)).await.map_err(not_for_a_deleted_client)?;
    Ok(TokenResponseDto::new(&access, Some(&token)))
}

/// The client may have been deleted while the password was checked.
fn not_for_a_deleted_client(error: StoreError) -> OAuthError {
    match error {
        StoreError::Conflict { .. } => OAuthError::InvalidClient,
        other => other.into(),
    }
}
