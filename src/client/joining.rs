//! Becoming and staying a member of the cluster: enrolment at a traffic manager, and renewal at two thirds of the life of
//! what it gave, or at the start of a release that offers more.

use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;
use domain::internal_api::nodes::{BASE, ENROL, EnrolRequest, Enrolled};
use domain::node::role;
use security::enrolment::{Credentials, CredentialsError, Enrolment, NodeKey};
use security::node_token;
use security::tls::TlsError;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::membership::Membership;
use crate::peers::{PeerError, PeerOptions, Peers, Repeat};

/// How often it is looked at least whether the credentials want renewal: the clock may have been set.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// Pauses between attempts that failed.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Why the node is no member; it tries again.
#[derive(Debug, thiserror::Error)]
enum JoinError {
    #[error(
        "the node has no valid credentials and no token: set GATEWRIGHT__CLUSTER__TOKEN to what 'gatewright token mint' \
         prints on a traffic manager"
    )]
    NoToken,
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Store(#[from] CredentialsError),
    #[error("the blocking task was stopped")]
    Stopped(#[from] tokio::task::JoinError),
}

/// What a node joins with.
pub struct Joining {
    pub membership: Membership,
    pub node_id: String,
    /// See [`domain::node::role`].
    pub roles: Vec<String>,
    /// What the operator gave, if anything.
    pub enrolment: Option<Enrolment>,
    pub traffic_managers: Vec<String>,
    pub options: PeerOptions,
    /// File with the credentials.
    pub store: PathBuf,
    pub runtime: Handle,
}

impl Joining {
    /// Takes over what an earlier start got, if it is still good for this node. Blocking.
    ///
    /// # Errors
    /// When the file is damaged or of another mode of life: the operator must see that.
    pub fn restore(&self) -> Result<(), CredentialsError> {
        let Some(credentials) = Credentials::load(&self.store)? else { return Ok(()) };
        let is_good = credentials.node_id == self.node_id && credentials.expires_at > self.membership.now();
        if !is_good {
            tracing::warn!("the node's stored credentials have expired or are another node's, it joins anew");
            return Ok(());
        }
        self.membership.install(credentials).map_err(|_| CredentialsError::Damaged)
    }

    /// Joins and renews until `shutdown`; tries for ever.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> JoinHandle<()> {
        let runtime = self.runtime.clone();
        runtime.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.run() => {}
            }
        })
    }

    async fn run(self) {
        let mut pause = PAUSE_MIN;
        let mut is_of_earlier_release = self.is_of_earlier_release();
        loop {
            let now = self.membership.now();
            let current = self.membership.current();
            if current.as_ref().is_some_and(|current| !current.wants_renewal(now) && !is_of_earlier_release) {
                pause = PAUSE_MIN;
                let due = current.map_or(LOOK_INTERVAL, |current| current.renewal_in(now));
                tokio::time::sleep(due.clamp(PAUSE_MIN, LOOK_INTERVAL)).await;
                continue;
            }
            let is_member = current.is_some_and(|current| current.expires_at > now);
            match self.obtain(is_member).await {
                Ok(()) => {
                    // A traffic manager of the earlier release knows no better: then another start tries again.
                    is_of_earlier_release = false;
                    tracing::info!(node.id = self.node_id, "the node is a member of the cluster");
                }
                Err(error) => {
                    tracing::warn!(%error, node.id = self.node_id, "the node cannot join the cluster yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Whether the node's token is good, but opens less than this release offers to its roles.
    fn is_of_earlier_release(&self) -> bool {
        let current = self.membership.current();
        current.is_some_and(|current| node_token::lacks_services(&current.token, &self.roles))
    }

    async fn obtain(&self, is_member: bool) -> Result<(), JoinError> {
        let membership = if is_member { self.membership.clone() } else { self.provisional()? };
        let authority = membership.current().ok_or(JoinError::NoToken)?.authority;
        let peers =
            Peers::new(role::TRAFFIC_MANAGER, &self.traffic_managers, membership, self.options, self.runtime.clone());
        let key = NodeKey::generate()?;
        let request = EnrolRequest {
            node_id: self.node_id.clone(),
            roles: self.roles.clone(),
            certificate_request: key.request()?,
        };
        let enrolled: Enrolled = peers.call(&format!("{BASE}{ENROL}"), &request, Repeat::Safe).await?;
        let Enrolled { token, chain, issued_at, expires_at } = enrolled;
        let credentials = Credentials {
            node_id: self.node_id.clone(),
            authority,
            token: Secret::new(token),
            chain,
            key: key.pem().clone(),
            issued_at,
            expires_at,
        };
        let (stored, path) = (credentials.clone(), self.store.clone());
        tokio::task::spawn_blocking(move || stored.store(&path)).await??;
        Ok(self.membership.install(credentials)?)
    }

    /// A member that may do nothing but enrol.
    fn provisional(&self) -> Result<Membership, JoinError> {
        let enrolment = self.enrolment.as_ref().ok_or(JoinError::NoToken)?;
        Ok(Membership::newcomer(enrolment, &self.node_id, self.membership.clock()))
    }
}
