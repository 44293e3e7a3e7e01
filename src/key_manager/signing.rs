//! The keys that sign at the moment, one of each tenant, and their successors.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

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
use store::{ApimConn, ApimDb, StoreError};

use crate::lifetime;
use crate::service::CreateError;

/// The signing keys of all tenants, of each the one that signs now.
pub struct Signing {
    apim_db: ApimDb,
    key_encryption_key: Arc<KeyEncryptionKey>,
    oauth: Oauth,
    issuers: Issuers,
    clock: Arc<dyn Clock>,
    keys: RwLock<HashMap<Organization, Arc<SigningKey>>>,
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
        let newest = self
            .apim_db
            .write(move |conn| {
                issuers::ensure(conn, &owner, RESIDENT_KEY_MANAGER, &issuer, now)?;
                let keys = signing_keys::list_published(conn, &owner, now)?;
                Ok::<_, StoreError>(keys.into_iter().next())
            })
            .await?;
        let wanted = SigningAlgorithm::from(self.oauth.signing_algorithm);
        match newest {
            None => self.add(organization, Start::Now).await?,
            Some(key) if key.algorithm != wanted.as_str() => self.add(organization, Start::AfterLead).await?,
            Some(_) => {}
        }
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
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(organization).cloned();
        match known {
            Some(key) => Ok(key),
            None => Ok(self.put(organization, self.load(organization).await?)),
        }
    }

    /// Takes over the keys whose time has come, also those that another node made.
    pub(crate) async fn reload(&self) -> Result<(), CreateError> {
        let known: Vec<(Organization, String)> = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.iter().map(|(organization, key)| (organization.clone(), key.kid.clone())).collect()
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

    pub(crate) async fn rotate(&self, organization: &Organization) -> Result<(), CreateError> {
        self.add(organization, Start::AfterLead).await
    }

    fn put(&self, organization: &Organization, key: SigningKey) -> Arc<SigningKey> {
        let key = Arc::new(key);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(organization.clone(), Arc::clone(&key));
        key
    }

    async fn add(&self, organization: &Organization, start: Start) -> Result<(), CreateError> {
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
            use_from: if start == Start::Now { now } else { now.plus(self.oauth.key_publish_lead.get()) },
            retire_at: None,
            created_at: now,
        };
        let default_secs = [self.oauth.application_token_lifetime, self.oauth.user_token_lifetime]
            .map(|lifetime| lifetime::resolve(None, lifetime.get()))
            .into_iter()
            .fold(0, i64::max);
        Ok(self.apim_db.write(move |conn| store_key(conn, &stored, start, default_secs, now)).await?)
    }

    async fn load(&self, organization: &Organization) -> Result<SigningKey, CreateError> {
        let (owner, now) = (organization.clone(), self.clock.now());
        let keys = self.apim_db.read(move |conn| signing_keys::list_published(conn, &owner, now)).await?;
        let stored = keys.into_iter().find(|key| key.use_from <= now).ok_or(CreateError::NoSigningKey)?;
        let algorithm = SigningAlgorithm::parse(&stored.algorithm).ok_or(CreateError::NoSigningKey)?;
        Ok(SigningKey::open(&stored.kid, algorithm, &stored.sealed_private_key, &self.key_encryption_key)?)
    }
}

#[async_trait]
impl TenantKeys for Signing {
    async fn ensure_keys(&self, organization: &Organization) -> Result<(), KeyManagerError> {
        self.ensure(organization).await.map_err(|error| match error {
            CreateError::Store(error) if error.is_temporary() => KeyManagerError::Busy,
            other => KeyManagerError::Failed(Box::new(other)),
        })
    }
}

fn store_key(
    conn: &mut ApimConn,
    key: &StoredSigningKey,
    start: Start,
    default_secs: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_first = signing_keys::list_published(conn, &key.organization, now)?.is_empty();
    if start == Start::Now && !is_first {
        // Another node that started at the same time was faster: its key signs.
        return Ok(());
    }
    let lifetime_secs = match clients::longest_token_lifetime(conn, &key.organization)? {
        LongestLifetime::Secs(secs) => default_secs.max(secs),
        LongestLifetime::Unlimited => lifetime::NEVER_SECS,
    };
    signing_keys::add(conn, key, lifetime::after(key.use_from, lifetime_secs), now)
}

/// From when on a new key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// There is no other key.
    Now,
    /// Once everybody can know the key.
    AfterLead,
}
