//! Verification of one access token against the tables.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use security::jwt::{ACCESS_TOKEN_TYPE, AccessTokenClaims, Expected, JwtError, LEEWAY_SECS, TOKEN_BYTES_MAX, verify};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::table::{Issuer, Issuers, Live, TokenFacts};

/// Why a token is refused; for the log, never for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    #[error("no trusted issuer has the token's issuer and key")]
    UnknownIssuer,
    #[error("the token is revoked")]
    Revoked,
    #[error(transparent)]
    Jwt(#[from] JwtError),
}

/// A token whose signature and type are right. Time and revocation are checked with every call.
#[derive(Debug)]
pub struct VerifiedToken {
    pub claims: AccessTokenClaims,
    pub issuer: Arc<Issuer>,
    /// `user@tenant`, shared with throttle keys.
    pub subject: Arc<str>,
    /// [`Issuers::epoch`] under which the signature was checked.
    pub(super) epoch: u64,
}

/// What of a token says who must have signed it, not to be believed before that is checked.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
}

#[derive(Deserialize)]
struct ClaimedHeader {
    kid: String,
}

impl VerifiedToken {
    /// Checks type, issuer, key, algorithm, signature and times.
    pub fn verify(token: &str, issuers: &Issuers, now: Timestamp) -> Result<Self, TokenRefusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(JwtError::TooLong.into());
        }
        let (issuer, iss) = claimed_issuer(token, issuers)?;
        let expected = Expected { typ: ACCESS_TOKEN_TYPE, issuer: &iss };
        let claims: AccessTokenClaims = verify(token, &issuer.keys, expected, now)?;
        let subject = claims.sub.as_str().into();
        Ok(Self { claims, issuer: Arc::clone(issuer), subject, epoch: issuers.epoch })
    }

    /// Checks what can change after the signature was checked.
    pub fn check_still_valid(&self, live: &Live, now: Timestamp) -> Result<(), TokenRefusal> {
        if self.claims.exp.saturating_add(LEEWAY_SECS) <= now.as_secs() {
            return Err(JwtError::Expired.into());
        }
        let facts = TokenFacts {
            jti: &self.claims.jti,
            consumer_key: &self.claims.client_id,
            user: &self.claims.sub,
            issued_at: Timestamp::from_secs(self.claims.iat),
        };
        if live.revocations.covers(&facts) { Err(TokenRefusal::Revoked) } else { Ok(()) }
    }
}

/// The issuer, with its `iss`, that a JWT claims to be of and that owns its key; the signature is not checked.
pub(super) fn claimed_issuer<'a>(token: &str, issuers: &'a Issuers) -> Result<(&'a Arc<Issuer>, String), TokenRefusal> {
    let mut parts = token.split('.');
    let header: ClaimedHeader = peek(parts.next())?;
    let claimed: Claimed = peek(parts.next())?;
    let issuer = issuers.find(&claimed.iss, &header.kid).ok_or(TokenRefusal::UnknownIssuer)?;
    Ok((issuer, claimed.iss))
}

fn peek<T: DeserializeOwned>(part: Option<&str>) -> Result<T, JwtError> {
    let json = URL_SAFE_NO_PAD.decode(part.ok_or(JwtError::Malformed)?).map_err(|_| JwtError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| JwtError::Malformed)
}
