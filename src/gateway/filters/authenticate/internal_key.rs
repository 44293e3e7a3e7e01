//! Internal keys: a publisher tries out one API, in whatever state it is.

use domain::Timestamp;
use hyper::header::{HeaderMap, HeaderName};
use security::internal_key::{INTERNAL_KEY_TYPE, InternalKeyClaims};
use security::jwt::{Expected, JwtError, TOKEN_BYTES_MAX, verify};

use super::token::claimed_issuer;
use super::{TokenRefusal, single};
use crate::fault::Fault;
use crate::table::{CompiledApi, Live, TokenFacts};

/// The header that carries the key.
pub const INTERNAL_KEY: HeaderName = HeaderName::from_static("internal-key");

/// The key that a call carries.
pub fn presented(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    single(headers, &INTERNAL_KEY)
}

/// Checks that the key is the API's own. Keys are rare, so none is remembered.
pub fn check(live: &Live, api: &CompiledApi, key: &str, now: Timestamp) -> Result<(), Fault> {
    let claims = verified(live, api, key, now).map_err(|reason| {
        tracing::debug!(api.id = %api.document.api_id, %reason, "an internal key is refused");
        Fault::InvalidCredentials
    })?;
    if claims.api_id == api.document.api_id { Ok(()) } else { Err(Fault::KeyOfOtherApi) }
}

/// Whether a call carries a good key for the API.
#[must_use]
pub fn opens(live: &Live, api: &CompiledApi, headers: &HeaderMap, now: Timestamp) -> bool {
    matches!(presented(headers), Ok(Some(key)) if check(live, api, key, now).is_ok())
}

fn verified(live: &Live, api: &CompiledApi, key: &str, now: Timestamp) -> Result<InternalKeyClaims, TokenRefusal> {
    if key.len() > TOKEN_BYTES_MAX {
        return Err(JwtError::TooLong.into());
    }
    let issuers = live.issuers();
    let (issuer, iss) = claimed_issuer(key, &issuers)?;
    // A key of one tenant opens no API of another, whatever it names.
    if issuer.organization != api.document.organization {
        return Err(TokenRefusal::UnknownIssuer);
    }
    let expected = Expected { typ: INTERNAL_KEY_TYPE, issuer: &iss };
    let claims: InternalKeyClaims = verify(key, &issuer.keys, expected, now)?;
    let issued_at = Timestamp::from_secs(claims.iat);
    let facts = TokenFacts { jti: &claims.jti, consumer_key: "", user: &claims.sub, issued_at };
    if live.revocations.covers(&facts) { Err(TokenRefusal::Revoked) } else { Ok(claims) }
}
