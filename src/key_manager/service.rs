//! The key manager's service: what its endpoints and its contract share.

use std::sync::Arc;

use config::sections::oauth::Oauth;
use domain::contract::{KeyManagerError, TenantKeys, UserStore};
use domain::oauth::ResidentKeyManager;
use domain::tenant::Issuers;
use domain::{Clock, Organization, Timestamp};
use security::key_encryption::KeyEncryptionKey;
use security::signing_key::SigningKeyError;
use store::{ApimDb, StoreError};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::metrics::KeyManagerMetrics;
use crate::purge;
use crate::signing::{Signing, Successor};
use crate::token::verify::AccessTokens;

/// What a [`KeyManagerService`] is made of.
pub struct Dependencies {
    pub apim_db: ApimDb,
    pub users: Arc<dyn UserStore>,
    pub key_encryption_key: Arc<KeyEncryptionKey>,
    pub oauth: Oauth,
    /// `iss` of tokens: `oauth.issuer`, or what the composition derives from the listener.
    pub issuer: String,
    /// Scheme, host and port under which clients reach the endpoints, without a slash at the end.
    pub base_url: String,
    /// Realm of Basic challenges.
    pub hostname: String,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
}

/// The key manager cannot start.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("the key manager's tables cannot be read or written")]
    Store(#[from] StoreError),
    #[error("the token-signing key cannot be made or opened (is the key-encryption key the right one?)")]
    SigningKey(#[from] SigningKeyError),
    #[error("there is no token-signing key for now")]
    NoSigningKey,
}

impl From<CreateError> for KeyManagerError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Store(error) if error.is_temporary() => Self::Busy,
            other => Self::Failed(Box::new(other)),
        }
    }
}

/// Registers clients; issues, checks and revokes tokens.
pub struct KeyManagerService {
    pub(crate) apim_db: ApimDb,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) key_encryption_key: Arc<KeyEncryptionKey>,
    pub(crate) oauth: Oauth,
    issuer: String,
    pub(crate) resident: ResidentKeyManager,
    pub(crate) realm: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signing: Arc<Signing>,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) metrics: KeyManagerMetrics,
}

impl std::fmt::Debug for KeyManagerService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyManagerService").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl KeyManagerService {
    /// Makes the signing key and announces the issuer at the first start.
    pub async fn create(dependencies: Dependencies) -> Result<Self, CreateError> {
        let Dependencies { apim_db, users, key_encryption_key, oauth, issuer, base_url, hostname, clock, metrics } =
            dependencies;
        let signing = Signing::new(
            apim_db.clone(),
            Arc::clone(&key_encryption_key),
            oauth.clone(),
            issuer.clone(),
            Arc::clone(&clock),
        );
        signing.ensure(&Organization::super_tenant()).await?;
        Ok(Self {
            access_tokens: AccessTokens::new(apim_db.clone(), issuer.clone()),
            apim_db,
            users,
            key_encryption_key,
            oauth,
            resident: ResidentKeyManager { issuers: Issuers::new(issuer.clone()), public_url: base_url },
            issuer,
            // Quotes would end the quoted string of the challenge.
            realm: hostname.replace(['"', '\\'], ""),
            clock,
            signing: Arc::new(signing),
            metrics: KeyManagerMetrics::register(&metrics),
        })
    }

    /// Starts the background work (expired rows go, a rotated signing key takes over) on `runtime`; it ends when
    /// `shutdown` is cancelled.
    pub fn start(self: Arc<Self>, runtime: &Handle, shutdown: CancellationToken) -> JoinHandle<()> {
        runtime.spawn(purge::run(self, shutdown))
    }

    /// Makes issuers and keys of tenants; tokens of a tenant are issued as soon as it has them.
    #[must_use]
    pub fn tenant_keys(&self) -> Arc<dyn TenantKeys> {
        Arc::clone(&self.signing) as Arc<dyn TenantKeys>
    }

    /// Makes a new signing key of the super tenant: published at once, signing after `oauth.key_publish_lead`, while the old ones stay
    /// published as long as tokens that they signed can live.
    pub async fn rotate_signing_key(&self) -> Result<Successor, CreateError> {
        self.signing.rotate(&Organization::super_tenant()).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
