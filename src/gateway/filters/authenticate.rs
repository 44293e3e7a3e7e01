//! Who calls: the bearer of an OAuth2 access token (RFC 6750, RFC 9068), or anybody where an operation needs no token.

mod cache;
mod token;

use std::sync::Arc;

use domain::Timestamp;
use domain::api::AuthType;
use domain::runtime::GatewayOperation;
use hyper::header::{HeaderMap, HeaderName};
use security::jwt::AuthorizedUserType;

pub use cache::TokenCache;
pub use token::{TokenRefusal, VerifiedToken};

use crate::fault::Fault;
use crate::table::{CompiledApi, Live};

/// Who speaks.
#[derive(Debug, Clone)]
pub enum Caller {
    Anonymous,
    Token(Arc<VerifiedToken>),
}

/// Checks the credentials that the operation asks for.
pub fn check(
    tokens: &TokenCache,
    live: &Live,
    api: &CompiledApi,
    operation: &GatewayOperation,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Caller, Fault> {
    if operation.auth == AuthType::None {
        return Ok(Caller::Anonymous);
    }
    if !api.takes_oauth {
        return Err(Fault::MissingCredentials);
    }
    let token = bearer(headers, &api.authorization_header)?;
    let token = tokens.verify(token, live, now).map_err(|reason| {
        tracing::debug!(api.id = %api.document.api_id, %reason, "a token is refused");
        Fault::InvalidCredentials
    })?;
    if !fits(operation.auth, token.claims.aut) {
        return Err(Fault::IncorrectTokenType);
    }
    Ok(Caller::Token(token))
}

/// The token of `<header>: Bearer <token>`. Another scheme counts as no credentials, as this API takes none of them.
fn bearer<'a>(headers: &'a HeaderMap, header: &HeaderName) -> Result<&'a str, Fault> {
    let mut values = headers.get_all(header).iter();
    let value = values.next().ok_or(Fault::MissingCredentials)?;
    if values.next().is_some() {
        return Err(Fault::InvalidCredentials);
    }
    let value = value.to_str().map_err(|_| Fault::InvalidCredentials)?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Fault::MissingCredentials);
    }
    Ok(token.trim())
}

fn fits(wanted: AuthType, offered: AuthorizedUserType) -> bool {
    match wanted {
        AuthType::Any | AuthType::None => true,
        AuthType::Application => offered == AuthorizedUserType::Application,
        AuthType::ApplicationUser => offered == AuthorizedUserType::ApplicationUser,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(values: &[&str]) -> Result<String, Fault> {
        let name = HeaderName::from_static("authorization");
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, value.parse().unwrap());
        }
        bearer(&headers, &name).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_found_in_any_case() {
        assert_eq!(parsed(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(parsed(&["bearer  abc "]), Ok("abc".to_owned()));
    }

    #[test]
    fn nothing_that_is_taken_is_missing_and_too_much_is_invalid() {
        assert_eq!(parsed(&[]), Err(Fault::MissingCredentials));
        assert_eq!(parsed(&["Basic abc"]), Err(Fault::MissingCredentials));
        assert_eq!(parsed(&["Bearer a", "Bearer b"]), Err(Fault::InvalidCredentials));
        assert_eq!(parsed(&["Bearer"]), Ok(String::new()));
    }
}
