//! Who calls: the bearer of an OAuth2 access token (RFC 6750, RFC 9068), the holder of an API key, the API's publisher,
//! or anybody where an operation needs no credentials.

pub mod api_key;
mod cache;
pub mod internal_key;
mod token;

use std::net::IpAddr;
use std::sync::Arc;

use domain::Timestamp;
use domain::api::AuthType;
use domain::runtime::GatewayOperation;
use hyper::header::{HeaderMap, HeaderName};
use security::jwt::AuthorizedUserType;

pub use cache::TokenCache;
pub use token::{TokenRefusal, VerifiedToken};

use crate::fault::Fault;
use crate::table::{ApiKeyEntry, CompiledApi, Live};

/// Who speaks.
#[derive(Debug, Clone)]
pub enum Caller {
    Anonymous,
    Token(Arc<VerifiedToken>),
    ApiKey(Arc<ApiKeyEntry>),
    /// The API's publisher, who tries it out.
    Publisher,
}

/// What a call offers to say who makes it.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
    pub client: IpAddr,
}

/// Checks the credentials that the operation asks for. Of several kinds that the API takes the first that is there at
/// all decides, also when it is wrong.
pub fn check(
    tokens: &TokenCache,
    live: &Live,
    api: &CompiledApi,
    operation: &GatewayOperation,
    offered: Offered<'_>,
    now: Timestamp,
) -> Result<Caller, Fault> {
    if operation.auth == AuthType::None {
        return Ok(Caller::Anonymous);
    }
    if api.needs_certificate {
        return Err(Fault::MissingCredentials(api.accepts));
    }
    if api.accepts.bearer
        && let Some(token) = bearer(offered.headers, &api.authorization_header)?
    {
        return check_token(tokens, live, api, operation, token, now);
    }
    if api.accepts.api_key
        && let Some(key) = api_key::presented(&api.api_key_header, offered)?
    {
        return api_key::check(live, api, &key, offered, now).map(Caller::ApiKey);
    }
    match internal_key::presented(offered.headers)? {
        Some(key) => internal_key::check(live, api, key, now).map(|()| Caller::Publisher),
        None => Err(Fault::MissingCredentials(api.accepts)),
    }
}

fn check_token(
    tokens: &TokenCache,
    live: &Live,
    api: &CompiledApi,
    operation: &GatewayOperation,
    token: &str,
    now: Timestamp,
) -> Result<Caller, Fault> {
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
fn bearer<'a>(headers: &'a HeaderMap, header: &HeaderName) -> Result<Option<&'a str>, Fault> {
    let Some(value) = single(headers, header)? else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    Ok(scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()))
}

/// The value of a header that must not come twice.
fn single<'a>(headers: &'a HeaderMap, header: &HeaderName) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Fault::InvalidCredentials);
    }
    value.to_str().map(|text| Some(text.trim())).map_err(|_| Fault::InvalidCredentials)
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

    fn parsed(values: &[&str]) -> Result<Option<String>, Fault> {
        let name = HeaderName::from_static("authorization");
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, value.parse().unwrap());
        }
        bearer(&headers, &name).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn the_scheme_is_found_in_any_case() {
        assert_eq!(parsed(&["Bearer abc"]), Ok(Some("abc".to_owned())));
        assert_eq!(parsed(&["bearer  abc "]), Ok(Some("abc".to_owned())));
    }

    #[test]
    fn nothing_that_is_taken_is_missing_and_too_much_is_invalid() {
        assert_eq!(parsed(&[]), Ok(None));
        assert_eq!(parsed(&["Basic abc"]), Ok(None));
        assert_eq!(parsed(&["Bearer a", "Bearer b"]), Err(Fault::InvalidCredentials));
        assert_eq!(parsed(&["Bearer"]), Ok(Some(String::new())));
    }
}
