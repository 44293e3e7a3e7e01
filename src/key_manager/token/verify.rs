//! Checking access tokens against the published keys and the revocations of apim_db.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::{Organization, Timestamp};
use security::jwt::{self, ACCESS_TOKEN_TYPE, AccessTokenClaims, Expected, InvalidJwk, JwtError, VerificationKeys};
use security::signing_key::jwk_set;
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

/// Verifies access tokens of one issuer.
pub(crate) struct AccessTokens {
    apim_db: ApimDb,
    issuer: String,
    organization: Organization,
    cached: RwLock<Option<Cached>>,
    /// Held while keys are read, so that many requests with a new key cause one read.
    reading: Mutex<()>,
}

impl AccessTokens {
    pub(crate) fn new(apim_db: ApimDb, issuer: String) -> Self {
        Self {
            apim_db,
            issuer,
            organization: Organization::super_tenant(),
            cached: RwLock::new(None),
            reading: Mutex::new(()),
        }
    }

    /// The tenant that the issuer belongs to.
    pub(crate) fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The claims of a token that is valid now and was not revoked.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<AccessTokenClaims, VerifyError> {
        let claims = self.verify_signed(token, now).await?;
        if self.is_revoked(&claims).await? {
            return Err(VerifyError::Revoked);
        }
        Ok(claims)
    }

    /// The claims of a token that is valid now; it may have been revoked.
    async fn verify_signed(&self, token: &str, now: Timestamp) -> Result<AccessTokenClaims, VerifyError> {
        let expected = Expected { typ: ACCESS_TOKEN_TYPE, issuer: &self.issuer };
        if let Some(keys) = self.fresh_keys(KEYS_AGE_MAX) {
            match jwt::verify(token, &keys, expected, now) {
                Err(JwtError::UnknownKey) => {}
                outcome => return Ok(outcome?),
            }
        }
        let keys = self.read_keys(now).await?;
        Ok(jwt::verify(token, &keys, expected, now)?)
    }

    async fn is_revoked(&self, claims: &AccessTokenClaims) -> Result<bool, StoreError> {
        let organization = self.organization.clone();
        let claims = claims.clone();
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

    fn fresh_keys(&self, age_max: Duration) -> Option<VerificationKeys> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().filter(|cached| cached.read_at.elapsed() < age_max).map(|cached| cached.keys.clone())
    }

    async fn read_keys(&self, now: Timestamp) -> Result<VerificationKeys, VerifyError> {
        let _reading = self.reading.lock().await;
        if let Some(keys) = self.fresh_keys(UNKNOWN_KEY_INTERVAL) {
            return Ok(keys);
        }
        let organization = self.organization.clone();
        let published = self.apim_db.read(move |conn| signing_keys::list_published(conn, &organization, now)).await?;
        let keys = VerificationKeys::from_jwk_set(&jwk_set(published.into_iter().map(|key| key.public_jwk)))?;
        let cached = Cached { keys: keys.clone(), read_at: Instant::now() };
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Some(cached);
        Ok(keys)
    }
}
