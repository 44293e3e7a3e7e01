//! `client_credentials` (RFC 6749 section 4.4): the client speaks for itself. Nothing is written, and there is no
//! refresh token.

use domain::oauth::Client;
use domain::user::user_with_tenant;
use security::jwt::AuthorizedUserType;

use crate::endpoints::realm::Realm;
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::service::KeyManagerService;
use crate::token::issue::{self, AccessToken, Grant, TokenResponseDto};
use crate::token::scopes;

pub(super) async fn serve(
    service: &KeyManagerService,
    client: &Client,
    realm: &Realm,
    parameters: &Parameters,
) -> Result<TokenResponseDto, OAuthError> {
    let requested = scopes::parse(parameters.text("scope").unwrap_or_default())?;
    if !realm.permits(&client.organization) {
        return Err(OAuthError::UnauthorizedClient("the client is of another tenant"));
    }
    let access = issue(service, client, &requested, issue::application_lifetime(service, client)).await?;
    Ok(TokenResponseDto::new(&access, None))
}

/// An application token; scopes with roles are granted by those of the client's owner.
pub(crate) async fn issue(
    service: &KeyManagerService,
    client: &Client,
    requested: &[String],
    lifetime_secs: i64,
) -> Result<AccessToken, OAuthError> {
    let registered = scopes::find_registered(&service.apim_db, &client.organization, requested).await?;
    let roles = if scopes::needs_roles(client, requested, &registered) {
        let owner = service.users.find(&client.owner, &client.organization).await?;
        owner.map(|owner| owner.roles).unwrap_or_default()
    } else {
        Vec::new()
    };
    let granted = scopes::grant(client, requested, &registered, &roles, service.oauth.unknown_scopes);
    issue::access_token(
        service,
        Grant {
            client,
            organization: &client.organization,
            subject: user_with_tenant(&client.owner, &client.organization),
            aut: AuthorizedUserType::Application,
            scopes: granted,
            lifetime_secs,
        },
        service.now(),
    )
    .await
}
