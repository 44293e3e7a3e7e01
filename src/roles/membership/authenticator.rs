//! Checks node tokens against the root keys that the database knows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::contract::{AuthenticationError, NodeAuthenticator};
use domain::node::NodeIdentity;
use domain::{Clock, Secret};
use security::cluster_tls::ClusterCertificate;
use security::node_token::{self, RootPublicKeys};
use store::apim::cluster_roots;
use store::{ApimDb, StoreError};

/// How long read keys are believed: a retired one is refused after this time.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Shortest time between two readings because of a key that is not known.
const REREAD_AFTER: Duration = Duration::from_secs(1);

pub(super) struct RootKeysAuthenticator {
    apim: ApimDb,
    /// Tokens must be narrowed to it.
    certificate: ClusterCertificate,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<RootPublicKeys>,
    read_at: Instant,
}

impl RootKeysAuthenticator {
    pub(super) fn new(apim: ApimDb, certificate: ClusterCertificate, clock: Arc<dyn Clock>) -> Self {
        Self { apim, certificate, clock, known: Mutex::new(None) }
    }

    async fn keys(&self, wanted: Option<u32>) -> Result<Arc<RootPublicKeys>, AuthenticationError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = &known {
            let age = known.read_at.elapsed();
            let has_it = wanted.is_some_and(|id| known.keys.contains(id));
            if age < REREAD_AFTER || (has_it && age < FRESH_FOR) {
                return Ok(Arc::clone(&known.keys));
            }
        }
        match (self.read().await, known) {
            (Ok(keys), _) => Ok(keys),
            // The database is away: what was good a moment ago still is.
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "root keys cannot be read again, the known ones count");
                Ok(known.keys)
            }
            (Err(error), None) => Err(AuthenticationError::Unavailable(Box::new(error))),
        }
    }

    async fn read(&self) -> Result<Arc<RootPublicKeys>, StoreError> {
        let rows = self.apim.read(cluster_roots::list).await?;
        let mut keys = RootPublicKeys::default();
        for row in rows {
            if let Err(error) = keys.insert(row.id, &row.public_key) {
                tracing::error!(root_key = row.id, %error, "a root key in the database is not valid");
            }
        }
        let keys = Arc::new(keys);
        let known = Known { keys: Arc::clone(&keys), read_at: Instant::now() };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(keys)
    }
}

#[async_trait]
impl NodeAuthenticator for RootKeysAuthenticator {
    async fn node(&self, token: &Secret<String>, service: &str) -> Result<NodeIdentity, AuthenticationError> {
        let own =
            self.certificate.fingerprint().ok_or(AuthenticationError::Refused("this node is no member itself"))?;
        let keys = self.keys(node_token::root_key_id(token)).await?;
        node_token::verify(token, &keys, &own.to_string(), service, self.clock.now()).map_err(|error| {
            tracing::debug!(%error, service, "a node token is refused");
            AuthenticationError::Refused("node token")
        })
    }
}
