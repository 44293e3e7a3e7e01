//! Who a management request speaks for, checked against the databases: no endpoint of the key manager is asked.

use std::sync::Arc;

use async_trait::async_trait;
use domain::contract::{AuthenticationError, Authenticator, UserStore, UserStoreError};
use domain::oauth::Principal;
use domain::scope::rest_api;
use domain::{Clock, Organization, Secret};
use security::jwt::AccessTokenClaims;
use store::ApimDb;

use crate::token::verify::{AccessTokens, Verified, VerifyError};

/// The contract's authenticator for every process that reaches apim_db and a user store.
pub struct LocalAuthenticator {
    access_tokens: AccessTokens,
    users: Arc<dyn UserStore>,
    clock: Arc<dyn Clock>,
}

impl LocalAuthenticator {
    /// `issuer` is the `iss` of the super tenant's tokens, from which those of the other tenants are derived.
    #[must_use]
    pub fn new(apim_db: ApimDb, users: Arc<dyn UserStore>, issuer: String, clock: Arc<dyn Clock>) -> Self {
        Self { access_tokens: AccessTokens::new(apim_db, issuer), users, clock }
    }
}

impl std::fmt::Debug for LocalAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalAuthenticator").finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for LocalAuthenticator {
    async fn bearer(&self, token: &Secret<String>) -> Result<Principal, AuthenticationError> {
        let verified = self.access_tokens.verify(token.expose(), self.clock.now()).await.map_err(refusal)?;
        let Verified { organization: issued_by, claims } = verified;
        let (username, organization) =
            split_subject(&claims.sub).ok_or(AuthenticationError::Refused("the subject names no tenant"))?;
        if organization != issued_by {
            return Err(AuthenticationError::Refused("the subject is of another tenant than the issuer"));
        }
        let user = self.users.find(username, &organization).await.map_err(unavailable)?;
        let user =
            user.ok_or(AuthenticationError::Refused("the user does not exist any more, or its tenant is not active"))?;
        let scopes = still_allowed(&claims, &user.roles);
        Ok(Principal {
            username: user.username,
            organization,
            roles: user.roles,
            scopes,
            client_id: Some(claims.client_id),
        })
    }

    async fn basic(&self, username: &str, password: &Secret<String>) -> Result<Principal, AuthenticationError> {
        let user = self.users.authenticate(username, password).await.map_err(unavailable)?;
        let user = user.ok_or(AuthenticationError::Refused("wrong user name or password"))?;
        let scopes = rest_api::scopes_for(&user.roles).into_iter().map(str::to_owned).collect();
        Ok(Principal {
            username: user.username,
            organization: user.organization,
            roles: user.roles,
            scopes,
            client_id: None,
        })
    }
}

/// The token's scopes without those of the REST APIs that the user's roles no longer allow.
fn still_allowed(claims: &AccessTokenClaims, roles: &[String]) -> Vec<String> {
    claims
        .scopes()
        .filter(|scope| !rest_api::is_rest_api_scope(scope) || rest_api::is_allowed(scope, roles))
        .map(str::to_owned)
        .collect()
}

/// `user@tenant`; the user's own name may contain an `@`.
fn split_subject(subject: &str) -> Option<(&str, Organization)> {
    let (username, tenant) = subject.rsplit_once('@')?;
    Some((username, Organization::from_trusted(tenant.to_owned())))
}

fn refusal(error: VerifyError) -> AuthenticationError {
    match error {
        VerifyError::Refused(_) => AuthenticationError::Refused("the access token is not valid"),
        VerifyError::Revoked => AuthenticationError::Refused("the access token was revoked"),
        VerifyError::Store(error) if error.is_temporary() => AuthenticationError::Busy,
        other => AuthenticationError::Unavailable(Box::new(other)),
    }
}

fn unavailable(error: UserStoreError) -> AuthenticationError {
    match error {
        UserStoreError::Busy => AuthenticationError::Busy,
        UserStoreError::Unavailable(cause) => AuthenticationError::Unavailable(cause),
    }
}
