//! A user's new password: tokens that were got with the old one end.

use domain::contract::KeyManagerError;
use domain::runtime::{Revocation, RevocationEntry};
use domain::user::user_with_tenant;
use domain::{Organization, Secret, Timestamp};
use store::apim::oauth::clients::{self, LongestLifetime};
use store::apim::oauth::{refresh_tokens, revocations};

use crate::error::OAuthError;
use crate::lifetime;
use crate::service::KeyManagerService;

/// Checks the present password, stores the new one, and revokes the user's tokens, those of the present second
/// included: the answer waits for the next one, so that no new token is revoked already.
pub(crate) async fn change(
    service: &KeyManagerService,
    organization: &Organization,
    username: &str,
    current: &Secret<String>,
    new: &Secret<String>,
) -> Result<(), KeyManagerError> {
    let wrong = || KeyManagerError::invalid("currentPassword", "is not your password");
    let login = user_with_tenant(username, organization);
    let user = service.users.authenticate(&login, current).await.map_err(OAuthError::from)?.ok_or_else(wrong)?;
    let is_stored = service.users.set_password(user.id, new, service.now()).await.map_err(OAuthError::from)?;
    if !is_stored {
        return Err(wrong());
    }
    let now = service.now();
    let next_second = Timestamp::from_secs(now.as_secs() + 1);
    revoke_tokens(service, organization, username, next_second, now).await?;
    tokio::time::sleep(next_second.since(service.now())).await;
    Ok(())
}

async fn revoke_tokens(
    service: &KeyManagerService,
    organization: &Organization,
    username: &str,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let default_secs = lifetime::resolve(None, service.oauth.user_token_lifetime.get());
    let (organization, username) = (organization.clone(), username.to_owned());
    service
        .apim_db
        .write(move |conn| {
            let longest_secs = match clients::longest_token_lifetime(conn, &organization)? {
                LongestLifetime::Unlimited => lifetime::NEVER_SECS,
                LongestLifetime::Secs(secs) => secs.max(default_secs),
            };
            refresh_tokens::delete_of_user(conn, &organization, &username)?;
            let entry = RevocationEntry {
                organization: organization.clone(),
                revocation: Revocation::User { user: user_with_tenant(&username, &organization), before },
                expires_at: lifetime::after(now, longest_secs),
            };
            revocations::insert(conn, &entry, now)
        })
        .await?;
    Ok(())
}
