//! JSON Web Tokens (RFC 7519) with a fixed type and a fixed algorithm per key; whatever is not expected is refused.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{Secret, Timestamp};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::signing_key::SigningKey;

/// `typ` of access tokens (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// Longest token in bytes that is looked at.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// How far the clocks of signer and verifier may differ, in seconds.
pub const LEEWAY_SECS: i64 = 5;

/// How far the clock of the node that signed may be ahead of ours, in seconds: the five minutes that servers of this kind
/// allow, and the leeway of all times. Nobody can choose the start of a token, so a wide one opens nothing; a narrow one
/// would let a gateway refuse every new token while its own clock, or the key manager's, is wrong.
const START_LEEWAY_SECS: i64 = 300 + LEEWAY_SECS;

/// Why a token is refused. Callers log it; the sender only learns that the token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    #[error("the token has more than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    #[error("the token is not a signed JWT")]
    Malformed,
    #[error("the token is of another type")]
    WrongType,
    #[error("the token names a header extension that must be understood")]
    CriticalExtension,
    /// Worth a reload of the key set, at most now and then.
    #[error("the token names no known key")]
    UnknownKey,
    #[error("the token is signed with another algorithm than its key is for")]
    WrongAlgorithm,
    #[error("the token's signature does not fit")]
    BadSignature,
    #[error("the token's claims are not those of its type")]
    BadClaims,
    #[error("the token is from another issuer")]
    WrongIssuer,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
}

/// A token cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be signed")]
pub struct SignError(#[source] jsonwebtoken::errors::Error);

/// A JWK of a key set that cannot be used to verify.
#[derive(Debug, thiserror::Error)]
pub enum InvalidJwk {
    #[error("the key set is not valid")]
    Malformed(#[from] serde_json::Error),
    #[error("the key has no '{0}'")]
    Missing(&'static str),
    #[error("the key's algorithm is none of RS256, ES256, EdDSA or does not fit its type")]
    Algorithm,
    #[error("the key's numbers are not valid")]
    Numbers(#[source] jsonwebtoken::errors::Error),
}

/// Claims of an access token (RFC 9068 section 2.2, with the names that WSO2's tokens carry).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// `user@tenant`; the client's owner with `client_credentials`.
    pub sub: String,
    /// Whether the token speaks for an application or for a user of one.
    pub aut: AuthorizedUserType,
    /// The client id.
    pub aud: String,
    /// The client id.
    pub azp: String,
    pub client_id: String,
    /// Seconds since 1970, like `iat` and `exp`.
    pub nbf: i64,
    pub iat: i64,
    pub exp: i64,
    pub iss: String,
    pub jti: String,
    /// Scopes with single spaces between them.
    #[serde(default)]
    pub scope: String,
}

/// WSO2's claim `aut`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthorizedUserType {
    #[serde(rename = "APPLICATION")]
    Application,
    #[serde(rename = "APPLICATION_USER")]
    ApplicationUser,
}

impl AccessTokenClaims {
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

/// What [`verify`] demands of a token beside a good signature.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Exact `typ` of the header.
    pub typ: &'a str,
    /// Exact `iss`.
    pub issuer: &'a str,
}

/// The public keys of one issuer, by `kid`. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct VerificationKeys(Arc<HashMap<String, VerificationKey>>);

#[derive(Debug)]
struct VerificationKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerificationKeys {
    /// Reads an RFC 7517 key set. Every key must have `kid` and `alg`; encryption keys are left out.
    pub fn from_jwk_set(jwks: &Value) -> Result<Self, InvalidJwk> {
        #[derive(Deserialize)]
        struct KeySet {
            keys: Vec<Jwk>,
        }
        let set = KeySet::deserialize(jwks)?;
        let mut keys = HashMap::with_capacity(set.keys.len());
        for jwk in &set.keys {
            if jwk.common.public_key_use == Some(jsonwebtoken::jwk::PublicKeyUse::Encryption) {
                continue;
            }
            let kid = jwk.common.key_id.clone().ok_or(InvalidJwk::Missing("kid"))?;
            keys.insert(kid, VerificationKey::from_jwk(jwk)?);
        }
        Ok(Self(Arc::new(keys)))
    }

    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.0.contains_key(kid)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl VerificationKey {
    fn from_jwk(jwk: &Jwk) -> Result<Self, InvalidJwk> {
        let algorithm = match jwk.common.key_algorithm.ok_or(InvalidJwk::Missing("alg"))? {
            KeyAlgorithm::RS256 => Algorithm::RS256,
            KeyAlgorithm::ES256 => Algorithm::ES256,
            KeyAlgorithm::EdDSA => Algorithm::EdDSA,
            _ => return Err(InvalidJwk::Algorithm),
        };
        let key = DecodingKey::from_jwk(jwk).map_err(InvalidJwk::Numbers)?;
        if key.family() != algorithm.family() {
            return Err(InvalidJwk::Algorithm);
        }
        Ok(Self { algorithm, key })
    }
}

/// Signs the claims under a header of `typ`, `kid` and `alg`.
pub fn sign<T: Serialize>(key: &SigningKey, typ: &str, claims: &T) -> Result<Secret<String>, SignError> {
    let mut header = Header::new(key.algorithm.as_jwa());
    header.typ = Some(typ.to_owned());
    header.kid = Some(key.kid.clone());
    jsonwebtoken::encode(&header, claims, &key.encoding_key).map(Secret::new).map_err(SignError)
}

/// The claims of a token that is signed by one of `keys` with that key's own algorithm, has the expected type and
/// issuer, and is valid at `now`.
pub fn verify<T: DeserializeOwned>(
    token: &str,
    keys: &VerificationKeys,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<T, JwtError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(JwtError::TooLong);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| JwtError::Malformed)?;
    if header.typ.as_deref() != Some(expected.typ) {
        return Err(JwtError::WrongType);
    }
    if header.crit.is_some() {
        return Err(JwtError::CriticalExtension);
    }
    let kid = header.kid.as_deref().ok_or(JwtError::UnknownKey)?;
    let key = keys.0.get(kid).ok_or(JwtError::UnknownKey)?;
    if header.alg != key.algorithm {
        return Err(JwtError::WrongAlgorithm);
    }
    let claims = verified_claims(token, key)?;
    check_standard_claims(&claims, expected.issuer, now)?;
    serde_json::from_value(claims).map_err(|_| JwtError::BadClaims)
}

fn verified_claims(token: &str, key: &VerificationKey) -> Result<Value, JwtError> {
    let mut validation = Validation::new(key.algorithm);
    // Issuer and times are checked below against the time that was passed in, not the system's.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    match jsonwebtoken::decode::<Value>(token, &key.key, &validation) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => JwtError::BadSignature,
            jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => JwtError::WrongAlgorithm,
            _ => JwtError::Malformed,
        }),
    }
}

fn check_standard_claims(claims: &Value, issuer: &str, now: Timestamp) -> Result<(), JwtError> {
    #[derive(Deserialize)]
    struct Standard {
        iss: String,
        exp: i64,
        nbf: Option<i64>,
        iat: Option<i64>,
    }
    let standard = Standard::deserialize(claims).map_err(|_| JwtError::BadClaims)?;
    if standard.iss != issuer {
        return Err(JwtError::WrongIssuer);
    }
    let now = now.as_secs();
    if standard.exp.saturating_add(LEEWAY_SECS) <= now {
        return Err(JwtError::Expired);
    }
    let starts = [standard.nbf, standard.iat].into_iter().flatten().max();
    if starts.is_some_and(|start| start > now.saturating_add(START_LEEWAY_SECS)) {
        return Err(JwtError::NotYetValid);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
