//! Checking access tokens against the published keys and the revocations of apim_db.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::tenant::Issuers;
use domain::{Organization, Timestamp};
use security::jwt::{
    self, ACCESS_TOKEN_TYPE, AccessTokenClaims, Expected, InvalidJwk, JwtError, TOKEN_BYTES_MAX, VerificationKeys,
};
use security::signing_key::jwk_set;
use serde::Deserialize;
use store::apim::oauth::revocations::{self, TokenFacts};
use store::apim::oauth::signing_keys;
use store::{ApimDb, StoreError};
use tokio::sync::Mutex;

/// Age after which the keys are read anew even if all are known: a key that was taken back must not live on.
const KEYS_AGE_MAX: Duration = Duration::from_secs(60);

/// Least time between two reads because of an unknown key, so that invented key names cost nothing.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(1);

/// A token was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Refused(#[from] JwtError),
    #[error("the token was revoked")]
    Revoked,
    #[error("the token cannot be checked")]
    Store(#[from] StoreError),
    #[error("the published keys cannot be used")]
    Keys(#[from] InvalidJwk),
}

/// Keys as they were read, and when.
struct Cached {
    keys: VerificationKeys,
    read_at: Instant,
}

/// An access token that was accepted.
#[derive(Debug)]
pub(crate) struct Verified {
    /// The tenant whose issuer made it.
    pub(crate) organization: Organization,
    pub(crate) claims: AccessTokenClaims,
}

/// Verifies access tokens of every tenant, each against the keys of the tenant that its issuer belongs to.
pub(crate) struct AccessTokens {
    apim_db: ApimDb,
    issuers: Issuers,
    /// Of tenants that have keys, so that invented tenants take no room.
    cached: RwLock<HashMap<Organization, Cached>>,
    /// Held while keys are read, so that many requests with a new key cause one read.
    reading: Mutex<()>,
}

impl AccessTokens {
    /// `issuer` is the `iss` of the super tenant's tokens.
    pub(crate) fn new(apim_db: ApimDb, issuer: String) -> Self {
        Self { apim_db, issuers: Issuers::new(issuer), cached: RwLock::default(), reading: Mutex::new(()) }
    }

    /// The token that is valid now and was not revoked, with its tenant; whether the tenant is active is not looked at.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, VerifyError> {
        let issuer = claimed_issuer(token)?;
        let organization = self.issuers.organization_of(&issuer).ok_or(JwtError::WrongIssuer)?;
        let claims = self.verify_signed(token, &issuer, &organization, now).await?;
        if self.is_revoked(&claims, &organization).await? {
            return Err(VerifyError::Revoked);
        }
        Ok(Verified { organization, claims })
    }

    /// The claims of a token that is valid now; it may have been revoked.
    async fn verify_signed(
        &self,
        token: &str,
        issuer: &str,
        organization: &Organization,
        now: Timestamp,
    ) -> Result<AccessTokenClaims, VerifyError> {
        let expected = Expected { typ: ACCESS_TOKEN_TYPE, issuer };
        if let Some(keys) = self.fresh_keys(organization, KEYS_AGE_MAX) {
            match jwt::verify(token, &keys, expected, now) {
                Err(JwtError::UnknownKey) => {}
                outcome => return Ok(outcome?),
            }
        }
        let keys = self.read_keys(organization, now).await?;
        Ok(jwt::verify(token, &keys, expected, now)?)
    }

    async fn is_revoked(&self, claims: &AccessTokenClaims, organization: &Organization) -> Result<bool, StoreError> {
        let (organization, claims) = (organization.clone(), claims.clone());
        self.apim_db
            .read(move |conn| {
                revocations::is_revoked(
                    conn,
                    TokenFacts {
                        organization: &organization,
                        jti: &claims.jti,
                        client_id: &claims.client_id,
                        user: &claims.sub,
                        issued_at: Timestamp::from_secs(claims.iat),
                    },
                )
            })
            .await
    }

    fn fresh_keys(&self, organization: &Organization, age_max: Duration) -> Option<VerificationKeys> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        cached.get(organization).filter(|cached| cached.read_at.elapsed() < age_max).map(|cached| cached.keys.clone())
    }

    async fn read_keys(&self, organization: &Organization, now: Timestamp) -> Result<VerificationKeys, VerifyError> {
        let _reading = self.reading.lock().await;
        if let Some(keys) = self.fresh_keys(organization, UNKNOWN_KEY_INTERVAL) {
            return Ok(keys);
        }
        let owner = organization.clone();
        let published = self.apim_db.read(move |conn| signing_keys::list_published(conn, &owner, now)).await?;
        let keys = VerificationKeys::from_jwk_set(&jwk_set(published.into_iter().map(|key| key.public_jwk)))?;
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        if keys.is_empty() {
            cached.remove(organization);
        } else {
            cached.insert(organization.clone(), Cached { keys: keys.clone(), read_at: Instant::now() });
        }
        Ok(keys)
    }
}

/// The `iss` that a token names: whose keys to check it with, not to be believed before that.
fn claimed_issuer(token: &str) -> Result<String, JwtError> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(JwtError::TooLong);
    }
    let claims = token.split('.').nth(1).ok_or(JwtError::Malformed)?;
    let json = URL_SAFE_NO_PAD.decode(claims).map_err(|_| JwtError::Malformed)?;
    let claimed: Claimed = serde_json::from_slice(&json).map_err(|_| JwtError::Malformed)?;
    Ok(claimed.iss)
}
