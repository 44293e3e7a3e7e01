//! This node as a member of its cluster: the credentials with which it calls others and is known by them.

use std::sync::Arc;

use domain::{Clock, Secret, Timestamp};
use security::cluster_tls::ClusterCertificate;
use security::enrolment::{Credentials, Enrolment};
use security::tls::TlsError;
use tokio::sync::watch;

/// The node's credentials, once it has them; clones share them.
#[derive(Clone)]
pub struct Membership {
    current: Arc<watch::Sender<Option<Arc<Credentials>>>>,
    certificate: ClusterCertificate,
    clock: Arc<dyn Clock>,
}

impl Membership {
    /// Of no cluster yet. `certificate` is what the node's listeners show to other nodes.
    #[must_use]
    pub fn new(certificate: ClusterCertificate, clock: Arc<dyn Clock>) -> Self {
        Self { current: Arc::new(watch::channel(None).0), certificate, clock }
    }

    /// Of a node before its first start: it may do nothing but enrol.
    #[must_use]
    pub fn newcomer(enrolment: &Enrolment, node_id: &str, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let credentials = Credentials {
            node_id: node_id.to_owned(),
            authority: enrolment.authority,
            token: enrolment.token.clone(),
            chain: String::new(),
            key: Secret::default(),
            issued_at: now,
            expires_at: now,
        };
        let current = Arc::new(watch::channel(Some(Arc::new(credentials))).0);
        Self { current, certificate: ClusterCertificate::default(), clock }
    }

    /// Takes over new credentials: calls and handshakes use them from now on.
    pub fn install(&self, credentials: Credentials) -> Result<(), TlsError> {
        self.certificate.set(credentials.identity()?)?;
        self.current.send_replace(Some(Arc::new(credentials)));
        Ok(())
    }

    /// The credentials, unless the node is no member yet.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Credentials>> {
        self.current.borrow().clone()
    }

    /// What other nodes see of this one.
    #[must_use]
    pub fn certificate(&self) -> &ClusterCertificate {
        &self.certificate
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
