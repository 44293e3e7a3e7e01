//! Leases from traffic managers on other nodes: `contract::Throttle` over the lease protocol.
//!
//! One connection at a time, to the first traffic manager that answers. Questions of all workers share it. While there is
//! none, questions fail at once: callers must not wait for what may not come.

mod session;

use std::time::Duration;

use async_trait::async_trait;
use domain::contract::throttle::{LeaseReply, LeaseRequest};
use domain::contract::{Throttle, ThrottleUnavailable};
use domain::internal_api::leases::{Ask, Outcome};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::peers::Peers;
use session::Session;

/// Questions that may wait to be sent; more are answered with unavailable.
const QUEUE_MAX: usize = 4_096;

/// Times that one question is asked: the first may be lost with its connection.
const ATTEMPTS: usize = 3;

/// Pause after every traffic manager failed.
const PAUSE: Duration = Duration::from_millis(200);

/// The traffic managers' leases; clones share the connection.
#[derive(Clone)]
pub struct RemoteThrottle {
    questions: mpsc::Sender<Asked>,
    answer_timeout: Duration,
}

/// A question and who waits for its answer.
pub(super) struct Asked {
    pub ask: Ask,
    pub answer: oneshot::Sender<Outcome>,
}

/// The other end of [`RemoteThrottle`]: keeps the connection.
pub struct LeaseConnector {
    peers: Peers,
    questions: mpsc::Receiver<Asked>,
}

impl RemoteThrottle {
    #[must_use]
    pub fn new(traffic_managers: Peers, answer_timeout: Duration) -> (Self, LeaseConnector) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let connector = LeaseConnector { peers: traffic_managers, questions: receiver };
        (Self { questions: sender, answer_timeout }, connector)
    }

    async fn ask(&self, ask: Ask) -> Result<Outcome, ThrottleUnavailable> {
        for _ in 0..ATTEMPTS {
            let (answer, waiting) = oneshot::channel();
            // A full queue means that the traffic manager does not keep up: more waiting would not help.
            self.questions
                .try_send(Asked { ask: ask.clone(), answer })
                .map_err(|error| ThrottleUnavailable(Some(error.to_string().into())))?;
            match tokio::time::timeout(self.answer_timeout, waiting).await {
                Ok(Ok(outcome)) => return Ok(outcome),
                // The connection ended: what it may have granted counts as spent, a new question is harmless.
                Ok(Err(_ended)) => {}
                Err(_elapsed) => return Err(ThrottleUnavailable(Some("no answer in time".into()))),
            }
        }
        Err(ThrottleUnavailable(Some("the connection ended".into())))
    }
}

/// Opens a session with the first of the traffic managers, and ends it.
pub(crate) async fn probe(traffic_managers: &Peers) -> Result<(), String> {
    Session::open(traffic_managers, 0).await.map(drop).map_err(|error| error.to_string())
}

#[async_trait]
impl Throttle for RemoteThrottle {
    async fn lease(&self, request: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        match self.ask(Ask::Lease(request)).await? {
            Outcome::Lease(reply) => Ok(reply),
            Outcome::Done | Outcome::Unavailable => Err(ThrottleUnavailable(None)),
        }
    }

    async fn give_back(&self, key: &str, window_id: i64, epoch: u64, units: u64) -> Result<(), ThrottleUnavailable> {
        let ask = Ask::GiveBack { key: key.to_owned(), window_id, epoch, units };
        self.ask(ask).await.map(drop)
    }
}

impl LeaseConnector {
    /// Keeps a connection until `shutdown`. Must be called on the node's runtime.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> JoinHandle<()> {
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.run() => {}
            }
        })
    }

    async fn run(mut self) {
        let mut first = 0;
        loop {
            match self.connect(first).await {
                Some((index, session)) => {
                    tracing::info!(peer = session.peer(), "leases come from this traffic manager");
                    first = index;
                    let reason = session.run(&mut self.questions).await;
                    tracing::warn!(reason, "the connection for leases ended");
                    if self.questions.is_closed() {
                        return;
                    }
                }
                None => self.pause().await,
            }
        }
    }

    async fn connect(&self, first: usize) -> Option<(usize, Session)> {
        let count = self.peers.len();
        for step in 0..count {
            let index = (first + step) % count;
            let limit = self.peers.options().connect_timeout;
            match tokio::time::timeout(limit, Session::open(&self.peers, index)).await {
                Ok(Ok(session)) => return Some((index, session)),
                Ok(Err(error)) => tracing::debug!(%error, "a traffic manager gives no leases"),
                Err(_elapsed) => tracing::debug!("a traffic manager gives no leases: no connection in time"),
            }
        }
        None
    }

    /// Answers at once that there is nobody, for a while.
    async fn pause(&mut self) {
        // Without randomness nothing is spread, which is no reason to fail.
        let spread = Duration::from_millis(security::random::bytes::<1>().map_or(100, |[byte]| u64::from(byte)));
        let until = tokio::time::Instant::now() + PAUSE + spread;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                asked = self.questions.recv() => match asked {
                    // Who asked may be gone.
                    Some(asked) => drop(asked.answer.send(Outcome::Unavailable)),
                    None => return,
                },
            }
        }
    }
}
