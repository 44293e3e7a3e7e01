//! The key that signs at the moment, and its successor.

use std::sync::{Arc, PoisonError, RwLock};

use config::sections::oauth::Oauth;
use domain::application::RESIDENT_KEY_MANAGER;
use domain::{Organization, Timestamp};
use security::key_encryption::KeyEncryptionKey;
use security::signing_key::{SigningAlgorithm, SigningKey, SigningKeyError};
use store::apim::oauth::clients::{self, LongestLifetime};
use store::apim::oauth::issuers;
use store::apim::oauth::signing_keys::{self, StoredSigningKey};
use store::{ApimDb, StoreError};

use crate::lifetime;
use crate::service::CreateError;

/// The signing key of the super tenant.
pub(crate) struct Signing(RwLock<Arc<SigningKey>>);

impl Signing {
    /// Reads the key, or makes the first one. When the configured algorithm is another than that of the newest key, a
    /// successor is published.
    pub(crate) async fn open(
        apim_db: &ApimDb,
        key_encryption_key: &KeyEncryptionKey,
        oauth: &Oauth,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Self, CreateError> {
        let issuer = issuer.to_owned();
        let newest = apim_db
            .write(move |conn| {
                let organization = Organization::super_tenant();
                issuers::ensure(conn, &organization, RESIDENT_KEY_MANAGER, &issuer, now)?;
                let keys = signing_keys::list_published(conn, &organization, now)?;
                Ok::<_, StoreError>(keys.into_iter().next())
            })
            .await?;
        let wanted = SigningAlgorithm::from(oauth.signing_algorithm);
        match newest {
            None => add(apim_db, key_encryption_key, oauth, Start::Now, now).await?,
            Some(key) if key.algorithm != wanted.as_str() => {
                add(apim_db, key_encryption_key, oauth, Start::AfterLead, now).await?;
            }
            Some(_) => {}
        }
        Ok(Self(RwLock::new(Arc::new(load(apim_db, key_encryption_key, now).await?))))
    }

    pub(crate) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the key whose time has come, also one that another node made.
    pub(crate) async fn reload(
        &self,
        apim_db: &ApimDb,
        key_encryption_key: &KeyEncryptionKey,
        now: Timestamp,
    ) -> Result<(), CreateError> {
        let key = load(apim_db, key_encryption_key, now).await?;
        if key.kid != self.current().kid {
            tracing::info!(kid = %key.kid, algorithm = %key.algorithm, "another key signs tokens from now on");
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        }
        Ok(())
    }

    pub(crate) async fn rotate(
        &self,
        apim_db: &ApimDb,
        key_encryption_key: &KeyEncryptionKey,
        oauth: &Oauth,
        now: Timestamp,
    ) -> Result<(), CreateError> {
        add(apim_db, key_encryption_key, oauth, Start::AfterLead, now).await
    }
}

/// From when on a new key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// There is no other key.
    Now,
    /// Once everybody can know the key.
    AfterLead,
}

async fn add(
    apim_db: &ApimDb,
    key_encryption_key: &KeyEncryptionKey,
    oauth: &Oauth,
    start: Start,
    now: Timestamp,
) -> Result<(), CreateError> {
    let algorithm = SigningAlgorithm::from(oauth.signing_algorithm);
    // An RSA key takes tenths of a second: not on a thread that serves.
    let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    let key = generated.map_err(|_| SigningKeyError::Generate(algorithm))??;
    let stored = StoredSigningKey {
        kid: key.kid.clone(),
        organization: Organization::super_tenant(),
        algorithm: algorithm.as_str().to_owned(),
        public_jwk: key.public_jwk.clone(),
        sealed_private_key: key.seal(key_encryption_key)?,
        use_from: if start == Start::Now { now } else { now.plus(oauth.key_publish_lead.get()) },
        retire_at: None,
        created_at: now,
    };
    let default_secs = [oauth.application_token_lifetime, oauth.user_token_lifetime]
        .map(|lifetime| lifetime::resolve(None, lifetime.get()))
        .into_iter()
        .fold(0, i64::max);
    let outcome = apim_db
        .write(move |conn| {
            let is_first = signing_keys::list_published(conn, &stored.organization, now)?.is_empty();
            if start == Start::Now && !is_first {
                // Another node that started at the same time was faster: its key signs.
                return Ok(());
            }
            let lifetime_secs = match clients::longest_token_lifetime(conn, &stored.organization)? {
                LongestLifetime::Secs(secs) => default_secs.max(secs),
                LongestLifetime::Unlimited => lifetime::NEVER_SECS,
            };
            signing_keys::add(conn, &stored, lifetime::after(stored.use_from, lifetime_secs), now)
        })
        .await;
    Ok(outcome?)
}

async fn load(
    apim_db: &ApimDb,
    key_encryption_key: &KeyEncryptionKey,
    now: Timestamp,
) -> Result<SigningKey, CreateError> {
    let keys = apim_db.read(move |conn| signing_keys::list_published(conn, &Organization::super_tenant(), now)).await?;
    let stored = keys.into_iter().find(|key| key.use_from <= now).ok_or(CreateError::NoSigningKey)?;
    let algorithm = SigningAlgorithm::parse(&stored.algorithm).ok_or(CreateError::NoSigningKey)?;
    Ok(SigningKey::open(&stored.kid, algorithm, &stored.sealed_private_key, key_encryption_key)?)
}
