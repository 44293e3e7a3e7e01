//! Calls to the nodes that play one role: one connection to each, the first that answers is asked, the others stand by.
//!
//! A connection is HTTP/2 over TLS under the cluster's authority. Each call carries the node's token, narrowed to the
//! certificate at the other end and to a minute. A peer that does not answer is passed over at once; what must not happen
//! twice is never sent to a second one once it may have arrived at the first.

mod connection;
mod dial;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use config::sections::cluster::Cluster;
use hyper::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::membership::Membership;
use connection::Connection;
pub(crate) use dial::{Address, Dialled, dial};

/// Largest answer that is read: a snapshot of a large installation.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// Why no peer did it.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("this node is no member of the cluster yet")]
    NotAMember,
    /// Each with the peer's address.
    #[error("no {role} answers: {}", reasons.join("; "))]
    Unreachable { role: &'static str, reasons: Vec<String> },
    /// The call may have been done.
    #[error("the answer of {address} was lost")]
    Lost { address: String },
    #[error("{address} refuses this node's token")]
    Refused { address: String },
    #[error("{address} answers {status}: {reason}")]
    Status { address: String, status: u16, reason: String },
    #[error("what {address} answers cannot be read")]
    Answer {
        address: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("the question cannot be written")]
    Question(#[source] serde_json::Error),
}

impl PeerError {
    #[must_use]
    pub fn is_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Status { status, .. } if *status == wanted)
    }
}

/// Whether a call may be sent anew after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    Safe,
    Never,
}

/// Time limits.
#[derive(Debug, Clone, Copy)]
pub struct PeerOptions {
    pub connect_timeout: Duration,
    pub answer_timeout: Duration,
}

impl PeerOptions {
    #[must_use]
    pub fn from_config(section: &Cluster) -> Self {
        Self { connect_timeout: section.connect_timeout.get(), answer_timeout: section.answer_timeout.get() }
    }
}

/// The nodes of one role; clones share connections.
#[derive(Clone)]
pub struct Peers(Arc<Shared>);

struct Shared {
    role: &'static str,
    peers: Vec<Peer>,
    /// Index of the peer that answered last.
    preferred: AtomicUsize,
    membership: Membership,
    options: PeerOptions,
    /// Where connections live: callers come and go with their own runtimes.
    runtime: Handle,
}

struct Peer {
    address: Address,
    connection: Mutex<Option<Arc<Connection>>>,
}

/// What is sent to a peer.
#[derive(Clone, Copy)]
enum Call<'a> {
    /// A question of this node's own, with its token.
    Own { path: &'a str, body: &'a Bytes },
    /// Somebody else's, as it is.
    PassedOn(&'a Request<Bytes>),
}

impl Call<'_> {
    fn path(&self) -> &str {
        match self {
            Self::Own { path, .. } => path,
            Self::PassedOn(request) => request.uri().path(),
        }
    }
}

/// What came of sending a call to one peer.
enum Attempt {
    Answered(Response<Bytes>),
    /// Nothing has arrived there.
    NotSent(String),
    /// It may have arrived there.
    Lost(String),
    /// It says that it cannot, for now.
    Unable(String),
    Refused,
    Status(u16, String),
}

impl Peers {
    /// `urls` are of the form `https://HOST:PORT`; others are left out.
    #[must_use]
    pub fn new(
        role: &'static str,
        urls: &[String],
        membership: Membership,
        options: PeerOptions,
        runtime: Handle,
    ) -> Self {
        let peer = |url: &String| Some(Peer { address: Address::parse(url)?, connection: Mutex::default() });
        let peers = urls.iter().filter_map(peer).collect();
        Self(Arc::new(Shared { role, peers, preferred: AtomicUsize::new(0), membership, options, runtime }))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.peers.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.peers.is_empty()
    }

    pub(crate) fn address(&self, index: usize) -> Option<&Address> {
        self.0.peers.get(index).map(|peer| &peer.address)
    }

    pub(crate) fn membership(&self) -> &Membership {
        &self.0.membership
    }

    pub(crate) fn options(&self) -> PeerOptions {
        self.0.options
    }

    /// Asks with a JSON body and reads a JSON answer, within the usual time.
    pub async fn call<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
        repeat: Repeat,
    ) -> Result<A, PeerError> {
        self.call_within(path, question, repeat, self.0.options.answer_timeout).await
    }

    /// As [`Peers::call`] for answers that take long on purpose.
    pub async fn call_within<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<A, PeerError> {
        let (address, body) = self.bytes(path, question, repeat, timeout).await?;
        serde_json::from_slice(&body).map_err(|source| PeerError::Answer { address, source })
    }

    /// The answer as it came, with the address of who gave it.
    pub async fn bytes<Q: Serialize + Sync>(
        &self,
        path: &str,
        question: &Q,
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<(String, Bytes), PeerError> {
        let body = Bytes::from(serde_json::to_vec(question).map_err(PeerError::Question)?);
        let (peer, answer) = self.send_to_any(Call::Own { path, body: &body }, repeat, timeout).await?;
        Ok((peer.address.to_string(), answer.into_body()))
    }

    /// Passes on a call that is not this node's own: without its token, to the first peer that can be reached. It is never
    /// sent to a second one once it may have arrived at the first.
    pub async fn forward(&self, request: Request<Bytes>) -> Result<Response<Bytes>, PeerError> {
        let timeout = self.0.options.answer_timeout;
        let (_, response) = self.send_to_any(Call::PassedOn(&request), Repeat::Never, timeout).await?;
        Ok(response)
    }

    /// Asks the peer with this index and no other.
    pub(crate) async fn call_peer<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        index: usize,
        path: &str,
        question: &Q,
    ) -> Result<A, PeerError> {
        let body = Bytes::from(serde_json::to_vec(question).map_err(PeerError::Question)?);
        let only = self.0.peers.get(index).map(|_| index);
        let timeout = self.0.options.answer_timeout;
        let (index, answer) = self.send(only, Call::Own { path, body: &body }, Repeat::Safe, timeout).await?;
        let address = self.0.peers[index].address.to_string();
        serde_json::from_slice(answer.body()).map_err(|source| PeerError::Answer { address, source })
    }

    /// To the peer that answered last, else to the next ones.
    async fn send_to_any(
        &self,
        call: Call<'_>,
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<(&Peer, Response<Bytes>), PeerError> {
        let (count, first) = (self.len(), self.0.preferred.load(Ordering::Relaxed));
        let indices = (0..count).map(|step| (first + step) % count);
        let (index, response) = self.send(indices, call, repeat, timeout).await?;
        self.0.preferred.store(index, Ordering::Relaxed);
        Ok((&self.0.peers[index], response))
    }

    /// To the first of the peers with these indices that answers; with the index of that one.
    async fn send(
        &self,
        indices: impl IntoIterator<Item = usize> + Send,
        call: Call<'_>,
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<(usize, Response<Bytes>), PeerError> {
        let shared = &*self.0;
        let mut reasons = Vec::new();
        let mut refused = None;
        for index in indices {
            let peer = &shared.peers[index];
            let address = peer.address.to_string();
            match self.send_to(peer, call, timeout).await? {
                Attempt::Answered(response) => return Ok((index, response)),
                Attempt::Status(status, reason) => return Err(PeerError::Status { address, status, reason }),
                Attempt::Refused => refused = Some(address),
                Attempt::Lost(reason) => {
                    tracing::debug!(peer = address, path = call.path(), reason, "the answer of another node was lost");
                    if repeat == Repeat::Never {
                        return Err(PeerError::Lost { address });
                    }
                    reasons.push(format!("{address}: {reason}"));
                }
                Attempt::NotSent(reason) | Attempt::Unable(reason) => reasons.push(format!("{address}: {reason}")),
            }
        }
        match refused {
            Some(address) if reasons.is_empty() => Err(PeerError::Refused { address }),
            Some(address) => {
                reasons.push(format!("{address}: refuses this node's token"));
                Err(PeerError::Unreachable { role: shared.role, reasons })
            }
            None => Err(PeerError::Unreachable { role: shared.role, reasons }),
        }
    }

    /// A call that was not sent is tried once more over a fresh connection: one that was idle may have ended at the other
    /// side, which says nothing about the peer. So is one that was refused: the peer's certificate may have been renewed,
    /// and the token was narrowed to the old one.
    async fn send_to(&self, peer: &Peer, call: Call<'_>, timeout: Duration) -> Result<Attempt, PeerError> {
        let mut is_second = false;
        loop {
            let connection = match self.connection(peer).await? {
                Ok(connection) => connection,
                Err(reason) => return Ok(Attempt::NotSent(reason)),
            };
            let sent = tokio::time::timeout(timeout, self.send_over(&connection, call)).await;
            let attempt = match sent {
                Ok(attempt) => attempt?,
                Err(_elapsed) => Attempt::Lost(format!("no answer within {timeout:?}")),
            };
            if matches!(attempt, Attempt::NotSent(_) | Attempt::Lost(_) | Attempt::Refused) {
                drop_connection(peer, &connection).await;
            }
            if is_second || !matches!(attempt, Attempt::NotSent(_) | Attempt::Refused) {
                return Ok(attempt);
            }
            is_second = true;
        }
    }

    async fn send_over(&self, connection: &Connection, call: Call<'_>) -> Result<Attempt, PeerError> {
        match call {
            Call::Own { path, body } => {
                let membership = &self.0.membership;
                let credentials = membership.current().ok_or(PeerError::NotAMember)?;
                Ok(connection.ask(path, body.clone(), &credentials, membership.now()).await)
            }
            Call::PassedOn(request) => Ok(connection.pass(request.clone()).await),
        }
    }

    async fn connection(&self, peer: &Peer) -> Result<Result<Arc<Connection>, String>, PeerError> {
        let credentials = self.0.membership.current().ok_or(PeerError::NotAMember)?;
        let mut slot = peer.connection.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| connection.is_open()) {
            return Ok(Ok(Arc::clone(connection)));
        }
        let (address, role, options) = (peer.address.clone(), self.0.role, self.0.options);
        let opening = self.0.runtime.spawn(async move {
            let opened = Connection::open(&address, role, credentials.authority);
            tokio::time::timeout(options.connect_timeout, opened).await
        });
        Ok(match opening.await {
            Ok(Ok(Ok(connection))) => {
                let connection = Arc::new(connection);
                *slot = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(_elapsed)) => Err("no connection in time".to_owned()),
            Err(_stopped) => Err("this node is stopping".to_owned()),
        })
    }
}

async fn drop_connection(peer: &Peer, broken: &Arc<Connection>) {
    let mut slot = peer.connection.lock().await;
    if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, broken)) {
        *slot = None;
    }
}
