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
use hyper::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::membership::Membership;
use connection::{Connection, Passed};
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

/// What came of asking one peer.
enum Attempt {
    Answered(Bytes),
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
        let shared = &*self.0;
        let first = shared.preferred.load(Ordering::Relaxed);
        let mut reasons = Vec::new();
        let mut refused = None;
        for step in 0..shared.peers.len() {
            let index = (first + step) % shared.peers.len();
            let peer = &shared.peers[index];
            let address = peer.address.to_string();
            match self.ask(peer, path, &body, timeout).await? {
                Attempt::Answered(answer) => {
                    shared.preferred.store(index, Ordering::Relaxed);
                    return Ok((address, answer));
                }
                Attempt::Status(status, reason) => return Err(PeerError::Status { address, status, reason }),
                Attempt::Refused => refused = Some(address),
                Attempt::Lost(reason) => {
                    tracing::debug!(peer = address, path, reason, "the answer of another node was lost");
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

    /// Passes on a call that is not this node's own: without its token, to the first peer that can be reached. It is never
    /// sent to a second one once it may have arrived at the first.
    pub async fn forward(&self, request: Request<Bytes>) -> Result<Response<Bytes>, PeerError> {
        let shared = &*self.0;
        let first = shared.preferred.load(Ordering::Relaxed);
        let mut reasons = Vec::new();
        for step in 0..shared.peers.len() {
            let index = (first + step) % shared.peers.len();
            let peer = &shared.peers[index];
            let address = peer.address.to_string();
            // A second try is over a fresh connection: one that was idle may have ended at the other side.
            for _ in 0..2 {
                let connection = match self.connection(peer).await? {
                    Ok(connection) => connection,
                    Err(reason) => {
                        reasons.push(format!("{address}: {reason}"));
                        break;
                    }
                };
                let passed =
                    tokio::time::timeout(shared.options.answer_timeout, connection.pass(request.clone())).await;
                match passed {
                    Ok(Passed::Answered(response)) => {
                        shared.preferred.store(index, Ordering::Relaxed);
                        return Ok(response);
                    }
                    Ok(Passed::NotSent(reason)) => {
                        drop_connection(peer, &connection).await;
                        reasons.push(format!("{address}: {reason}"));
                    }
                    Ok(Passed::Lost) | Err(_) => {
                        drop_connection(peer, &connection).await;
                        return Err(PeerError::Lost { address });
                    }
                }
            }
        }
        Err(PeerError::Unreachable { role: shared.role, reasons })
    }

    /// Asks the peer with this index and no other.
    pub(crate) async fn call_peer<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        index: usize,
        path: &str,
        question: &Q,
    ) -> Result<A, PeerError> {
        let role = self.0.role;
        let Some(peer) = self.0.peers.get(index) else {
            return Err(PeerError::Unreachable { role, reasons: Vec::new() });
        };
        let address = peer.address.to_string();
        let body = Bytes::from(serde_json::to_vec(question).map_err(PeerError::Question)?);
        match self.ask(peer, path, &body, self.0.options.answer_timeout).await? {
            Attempt::Answered(body) => {
                serde_json::from_slice(&body).map_err(|source| PeerError::Answer { address, source })
            }
            Attempt::Status(status, reason) => Err(PeerError::Status { address, status, reason }),
            Attempt::Refused => Err(PeerError::Refused { address }),
            Attempt::NotSent(reason) | Attempt::Lost(reason) | Attempt::Unable(reason) => {
                Err(PeerError::Unreachable { role, reasons: vec![format!("{address}: {reason}")] })
            }
        }
    }

    /// A refusal is tried once more over a fresh connection: the peer's certificate may have been renewed, and the token
    /// was narrowed to the old one.
    async fn ask(&self, peer: &Peer, path: &str, body: &Bytes, timeout: Duration) -> Result<Attempt, PeerError> {
        let mut is_second = false;
        loop {
            let connection = match self.connection(peer).await? {
                Ok(connection) => connection,
                Err(reason) => return Ok(Attempt::NotSent(reason)),
            };
            let credentials = self.0.membership.current().ok_or(PeerError::NotAMember)?;
            let asked = connection.ask(path, body.clone(), &credentials, self.0.membership.now());
            let attempt = match tokio::time::timeout(timeout, asked).await {
                Ok(attempt) => attempt,
                Err(_elapsed) => Attempt::Lost(format!("no answer within {timeout:?}")),
            };
            let is_broken = matches!(attempt, Attempt::NotSent(_) | Attempt::Lost(_) | Attempt::Refused);
            if is_broken {
                drop_connection(peer, &connection).await;
            }
            // A connection that was idle may have ended at the other side: that says nothing about the peer.
            let again = matches!(attempt, Attempt::Refused | Attempt::NotSent(_));
            if !again || is_second {
                return Ok(attempt);
            }
            is_second = true;
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
