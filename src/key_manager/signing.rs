//! The keys that sign at the moment, one of each tenant, and their successors.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use config::sections::oauth::Oauth;
use domain::application::RESIDENT_KEY_MANAGER;
use domain::contract::{KeyManagerError, TenantKeys};
use domain::tenant::Issuers;
use domain::{Clock, Organization, Timestamp};
use security::key_encryption::KeyEncryptionKey;
use security::signing_key::{SigningAlgorithm, SigningKey, SigningKeyError};
use store::apim::oauth::clients::{self, LongestLifetime};
use store::apim::oauth::issuers;
use store::apim::oauth::signing_keys::{self, StoredSigningKey};
use store::{ApimConn, ApimDb, Raced, StoreError};

use crate::lifetime;
use crate::service::CreateError;

/// How much longer than its token a key is promised to stay published: one promise does for the tokens of ten minutes.
const COVER_AHEAD: Duration = Duration::from_secs(600);

/// The signing keys of all tenants, of each the one that signs now.
pub struct Signing {
    apim_db: ApimDb,
    key_encryption_key: Arc<KeyEncryptionKey>,
    oauth: Oauth,
    issuers: Issuers,
    clock: Arc<dyn Clock>,
    keys: RwLock<HashMap<Organization, Held>>,
}

/// A key as this node knows it; the database knows best.
struct Held {
    key: Arc<SigningKey>,
    /// The key stays published until here, whichever node rotates: tokens that end earlier need no word of the database.
    covers_until: Timestamp,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

impl Signing {
    /// `issuer` is the `iss` of the super tenant's tokens.
    #[must_use]
    pub fn new(
        apim_db: ApimDb,
        key_encryption_key: Arc<KeyEncryptionKey>,
        oauth: Oauth,
        issuer: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let issuers = Issuers::new(issuer);
        Self { apim_db, key_encryption_key, oauth, issuers, clock, keys: RwLock::default() }
    }

    /// Makes the tenant's issuer known, and its first key unless there is one. When the configured algorithm is another
    /// than that of the newest key, a successor is published.
    pub(crate) async fn ensure(&self, organization: &Organization) -> Result<(), CreateError> {
        let now = self.clock.now();
        let (issuer, owner) = (self.issuers.of(organization), organization.clone());
        let newest = self.apim_db.write(move |conn| {
            // Of two nodes that make the first issuer known at the same moment, the slower one finds it.
            issuers::ensure(conn, &owner, RESIDENT_KEY_MANAGER, &issuer, now)?;
            let keys = signing_keys::list_published(conn, &owner, now)?;
            Ok::<_, Raced>(keys.into_iter().next())
        });
        let newest = newest.await.map_err(|Raced(error)| error)?;
        let wanted = SigningAlgorithm::from(self.oauth.signing_algorithm);
        // Whether this node or another one added it, the database says below which one signs.
        let _added = match newest {
            None => self.add(organization, Reason::First).await?,
            Some(key) if key.algorithm != wanted.as_str() => self.add(organization, Reason::OtherAlgorithm).await?,
            Some(_) => None,
        };
        let key = self.load(organization).await?;
        self.put(organization, key);
        Ok(())
    }

    /// The `iss` of the tenant's tokens.
    pub(crate) fn issuer_of(&self, organization: &Organization) -> String {
        self.issuers.of(organization)
    }

    /// The tenant's key; one that another node made is read when it is first needed.
    pub(crate) async fn current(&self, organization: &Organization) -> Result<Arc<SigningKey>, CreateError> {
        let known = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.get(organization).map(|held| Arc::clone(&held.key))
        };
        match known {
            Some(key) => Ok(key),
            None => Ok(self.put(organization, self.load(organization).await?)),
        }
    }

    /// The key for a token that ends at `expires_at`: from here on every node keeps it published until then, also when it
    /// was rotated meanwhile and this node has not seen that yet.
    pub(crate) async fn covering(
        &self,
        organization: &Organization,
        expires_at: Timestamp,
    ) -> Result<Arc<SigningKey>, CreateError> {
        if let Some(key) = self.known_to_cover(organization, expires_at) {
            return Ok(key);
        }
        let until = expires_at.plus(COVER_AHEAD);
        let key = self.current(organization).await?;
        if self.cover(organization, &key, until).await? {
            return Ok(key);
        }
        // The key retired while this node did not look: the present one cannot be gone, too.
        let key = self.put(organization, self.load(organization).await?);
        if self.cover(organization, &key, until).await? { Ok(key) } else { Err(CreateError::NoSigningKey) }
    }

    fn known_to_cover(&self, organization: &Organization, expires_at: Timestamp) -> Option<Arc<SigningKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(organization).filter(|held| held.covers_until >= expires_at).map(|held| Arc::clone(&held.key))
    }

    async fn cover(
        &self,
        organization: &Organization,
        key: &Arc<SigningKey>,
        until: Timestamp,
    ) -> Result<bool, CreateError> {
        let kid = key.kid.clone();
        let is_there = self.apim_db.write(move |conn| signing_keys::cover(conn, &kid, until)).await?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = keys.get_mut(organization).filter(|held| is_there && held.key.kid == key.kid) {
            held.covers_until = held.covers_until.max(until);
        }
        Ok(is_there)
    }

    /// Takes over the keys whose time has come, also those that another node made.
    pub(crate) async fn reload(&self) -> Result<(), CreateError> {
        let known: Vec<(Organization, String)> = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.iter().map(|(organization, held)| (organization.clone(), held.key.kid.clone())).collect()
        };
        for (organization, kid) in known {
            let key = self.load(&organization).await?;
            if key.kid != kid {
                tracing::info!(kid = %key.kid, algorithm = %key.algorithm, %organization, "another key signs tokens from now on");
                self.put(&organization, key);
            }
        }
        Ok(())
    }

    /// Publishes a successor of the tenant's key, which signs after `oauth.key_publish_lead`; the present key stays
    /// published as long as tokens that it signed live.
    ///
    /// # Errors
    /// [`CreateError::NoSigningKey`] when the tenant has no key that could be rotated.
    pub async fn rotate(&self, organization: &Organization) -> Result<Successor, CreateError> {
        self.add(organization, Reason::Rotation).await?.ok_or(CreateError::NoSigningKey)
    }

    fn put(&self, organization: &Organization, key: SigningKey) -> Arc<SigningKey> {
        let key = Arc::new(key);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(organization.clone(), Held { key: Arc::clone(&key), covers_until: Timestamp::from_millis(0) });
        key
    }

    /// `None` when the reason does not hold any more: another node was faster.
    async fn add(&self, organization: &Organization, reason: Reason) -> Result<Option<Successor>, CreateError> {
        let now = self.clock.now();
        let algorithm = SigningAlgorithm::from(self.oauth.signing_algorithm);
        // An RSA key takes tenths of a second: not on a thread that serves.
        let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let key = generated.map_err(|_| SigningKeyError::Generate(algorithm))??;
        let stored = StoredSigningKey {
            kid: key.kid.clone(),
            organization: organization.clone(),
            algorithm: algorithm.as_str().to_owned(),
            public_jwk: key.public_jwk.clone(),
            sealed_private_key: key.seal(&self.key_encryption_key)?,
            use_from: if reason == Reason::First { now } else { now.plus(self.oauth.key_publish_lead.get()) },
            retire_at: None,
            created_at: now,
        };
        let default_secs = [self.oauth.application_token_lifetime, self.oauth.user_token_lifetime]
            .map(|lifetime| lifetime::resolve(None, lifetime.get()))
            .into_iter()
            .fold(0, i64::max);
        let successor = Successor { kid: stored.kid.clone(), algorithm, use_from: stored.use_from };
        let is_added = self.apim_db.write(move |conn| store_key(conn, &stored, reason, default_secs, now)).await?;
        Ok(is_added.then_some(successor))
    }

    async fn load(&self, organization: &Organization) -> Result<SigningKey, CreateError> {
        let (owner, now) = (organization.clone(), self.clock.now());
        let keys = self.apim_db.read(move |conn| signing_keys::list_published(conn, &owner, now)).await?;
        // When none has begun, the first one was made this moment by a node whose clock is a little ahead.
        let stored = keys.iter().find(|key| key.use_from <= now).or(keys.last()).ok_or(CreateError::NoSigningKey)?;
        let algorithm = SigningAlgorithm::parse(&stored.algorithm).ok_or(CreateError::NoSigningKey)?;
        Ok(SigningKey::open(&stored.kid, algorithm, &stored.sealed_private_key, &self.key_encryption_key)?)
    }
}

#[async_trait]
impl TenantKeys for Signing {
    async fn ensure_keys(&self, organization: &Organization) -> Result<(), KeyManagerError> {
        Ok(self.ensure(organization).await?)
    }
}

/// Says whether the key was stored: its reason is looked at anew while no other node can add one.
fn store_key(
    conn: &mut ApimConn,
    key: &StoredSigningKey,
    reason: Reason,
    default_secs: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    issuers::lock(conn, &key.organization)?;
    let newest = signing_keys::list_published(conn, &key.organization, now)?.into_iter().next();
    let holds = match (reason, newest) {
        (Reason::First, newest) => newest.is_none(),
        (Reason::OtherAlgorithm, newest) => newest.is_none_or(|newest| newest.algorithm != key.algorithm),
        (Reason::Rotation, newest) => newest.is_some(),
    };
    if !holds {
        return Ok(false);
    }
    let lifetime_secs = match clients::longest_token_lifetime(conn, &key.organization)? {
        LongestLifetime::Secs(secs) => default_secs.max(secs),
        LongestLifetime::Unlimited => lifetime::NEVER_SECS,
    };
    signing_keys::add(conn, key, lifetime::after(key.use_from, lifetime_secs), now)?;
    Ok(true)
}

/// Why a key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// There is no other; it signs at once.
    First,
    /// The configuration names another algorithm. As after a rotation, it signs once everybody can know it.
    OtherAlgorithm,
    Rotation,
}

/// A key that signs soon.
#[derive(Debug, Clone)]
pub struct Successor {
    pub kid: String,
    pub algorithm: SigningAlgorithm,
    /// No node signs with it before.
    pub use_from: Timestamp,
}
