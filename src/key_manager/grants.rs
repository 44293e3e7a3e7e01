//! Grants of the token endpoint (RFC 6749 section 4), one file each.

mod client_credentials;
mod password;
mod refresh_token;
mod user_tokens;

pub(crate) use client_credentials::issue as issue_application_token;

use domain::oauth::Client;

use crate::endpoints::realm::Realm;
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::service::KeyManagerService;
use crate::token::issue::TokenResponseDto;

/// A grant that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantType {
    ClientCredentials,
    Password,
    RefreshToken,
}

impl GrantType {
    pub(crate) const ALL: [Self; 3] = [Self::ClientCredentials, Self::Password, Self::RefreshToken];

    /// The parameter `grant_type`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == text)
    }
}

/// Whether the client is registered for the grant.
pub(crate) fn is_registered(client: &Client, grant_type: GrantType) -> bool {
    client.grant_types.iter().any(|own| own == grant_type.as_str())
}

/// Serves the request of an authenticated client.
pub(crate) async fn serve(
    service: &KeyManagerService,
    client: &Client,
    realm: &Realm,
    parameters: &Parameters,
) -> Result<TokenResponseDto, OAuthError> {
    let grant_type = GrantType::parse(parameters.required("grant_type")?.expose());
    let grant_type = grant_type.ok_or(OAuthError::UnsupportedGrantType)?;
    if !is_registered(client, grant_type) {
        return Err(OAuthError::UnauthorizedClient("the client is not registered for this grant type"));
    }
    let answer = match grant_type {
        GrantType::ClientCredentials => client_credentials::serve(service, client, realm, parameters).await,
        GrantType::Password => password::serve(service, client, realm, parameters).await,
        GrantType::RefreshToken => refresh_token::serve(service, client, realm, parameters).await,
    }?;
    service.metrics.issued(grant_type.as_str());
    Ok(answer)
}
