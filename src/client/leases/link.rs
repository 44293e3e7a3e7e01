//! The way to one traffic manager: how it stands with it, and the task that keeps the connection.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::internal_api::leases::{Ask, Outcome};
use tokio::sync::{mpsc, oneshot};

use super::session::Session;
use super::{Asked, Shared};
use crate::peers::Peers;

/// Pause after a traffic manager could not be reached.
const PAUSE: Duration = Duration::from_millis(200);

/// How it stands with one traffic manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// No connection, and the last try has not failed: there may be one in a moment.
    Trying,
    Up {
        /// Node id of the other end; empty when it does not tell.
        node: String,
    },
    /// The last try failed.
    Down,
}

pub(super) struct Link {
    questions: mpsc::Sender<Asked>,
    standing: Mutex<Standing>,
}

impl Link {
    pub(super) fn new(questions: mpsc::Sender<Asked>) -> Self {
        Self { questions, standing: Mutex::new(Standing::Trying) }
    }

    /// The answer; `None` when the connection ends before it, or does not keep up: more waiting would not help.
    pub(super) async fn ask(&self, ask: Ask) -> Option<Outcome> {
        let (answer, waiting) = oneshot::channel();
        self.questions.try_send(Asked { ask, answer }).ok()?;
        waiting.await.ok()
    }

    pub(super) fn is_up(&self) -> bool {
        self.standing(|standing| matches!(standing, Standing::Up { .. }))
    }

    pub(super) fn is_down(&self) -> bool {
        self.standing(|standing| *standing == Standing::Down)
    }

    pub(super) fn is_node(&self, wanted: &str) -> bool {
        self.standing(|standing| matches!(standing, Standing::Up { node } if node == wanted))
    }

    fn standing<T>(&self, look: impl FnOnce(&Standing) -> T) -> T {
        look(&self.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// Keeps one connection.
pub(super) struct Lane {
    pub index: usize,
    pub questions: mpsc::Receiver<Asked>,
    pub peers: Peers,
}

impl Lane {
    /// Until it is aborted.
    pub(super) async fn run(mut self, shared: &Shared) {
        let Some(link) = shared.links.get(self.index) else { return };
        loop {
            match self.connect().await {
                Some(session) => {
                    tracing::info!(peer = session.peer(), "leases may come from this traffic manager");
                    link.set(Standing::Up { node: session.node().to_owned() });
                    let reason = session.run(&mut self.questions, &shared.holders).await;
                    link.set(Standing::Trying);
                    tracing::warn!(reason, "a connection for leases ended");
                    while self.questions.try_recv().is_ok() {}
                }
                None => {
                    link.set(Standing::Down);
                    self.pause().await;
                }
            }
        }
    }

    async fn connect(&self) -> Option<Session> {
        let limit = self.peers.options().connect_timeout;
        match tokio::time::timeout(limit, Session::open(&self.peers, self.index)).await {
            Ok(Ok(session)) => return Some(session),
            Ok(Err(error)) => tracing::debug!(%error, "a traffic manager gives no leases"),
            Err(_elapsed) => tracing::debug!("a traffic manager gives no leases: no connection in time"),
        }
        None
    }

    /// Lets who still asks look elsewhere, for a while.
    async fn pause(&mut self) {
        // Without randomness nothing is spread, which is no reason to fail.
        let spread = Duration::from_millis(security::random::bytes::<1>().map_or(100, |[byte]| u64::from(byte)));
        let until = tokio::time::Instant::now() + PAUSE + spread;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                asked = self.questions.recv() => match asked {
                    Some(asked) => drop(asked),
                    None => return,
                },
            }
        }
    }
}
