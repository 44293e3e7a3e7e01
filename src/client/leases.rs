//! Leases from traffic managers on other nodes: `contract::Throttle` over the lease protocol.
//!
//! One connection to every traffic manager, shared by all workers. A key's slot tells whom to ask: who granted last, else
//! anybody, who then says who the owner is. While there is no connection at all, questions fail at once: callers must
//! not wait for what may not come.

mod link;
mod session;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use domain::contract::throttle::{Holder, Holders, LeaseReply, LeaseRequest};
use domain::contract::{Throttle, ThrottleUnavailable};
use domain::internal_api::leases::{Ask, Outcome};
use domain::throttling::Slot;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::peers::Peers;
use link::{Lane, Link};
use session::Session;

/// Questions to one traffic manager that may wait to be sent.
const QUEUE_MAX: usize = 4_096;

/// Pause before all are asked anew who owns a slot.
const PAUSE: Duration = Duration::from_millis(50);

/// Longest wait until a slot has an owner that answers; a dead one is replaced sooner.
const OWNED_WITHIN: Duration = Duration::from_secs(4);

/// The traffic managers' leases; clones share the connections.
#[derive(Clone)]
pub struct RemoteThrottle {
    shared: Arc<Shared>,
}

struct Shared {
    links: Vec<Link>,
    /// Index of the link on which each slot was granted last.
    routes: Vec<AtomicUsize>,
    answer_timeout: Duration,
    holders: Holders,
}

/// A question and who waits for its answer.
struct Asked {
    ask: Ask,
    answer: oneshot::Sender<Outcome>,
}

/// The other end of [`RemoteThrottle`]: keeps the connections.
pub struct LeaseConnector {
    peers: Peers,
    shared: Arc<Shared>,
    queues: Vec<mpsc::Receiver<Asked>>,
}

impl RemoteThrottle {
    #[must_use]
    pub fn new(traffic_managers: Peers, answer_timeout: Duration) -> (Self, LeaseConnector) {
        let (links, queues) = (0..traffic_managers.len())
            .map(|_| {
                let (questions, queue) = mpsc::channel(QUEUE_MAX);
                (Link::new(questions), queue)
            })
            .unzip();
        let routes = (0..Slot::COUNT).map(AtomicUsize::new).collect();
        let shared = Arc::new(Shared { links, routes, answer_timeout, holders: Holders::default() });
        let connector = LeaseConnector { peers: traffic_managers, shared: Arc::clone(&shared), queues };
        (Self { shared }, connector)
    }
}

/// Opens a session with the first of the traffic managers, and ends it.
pub(crate) async fn probe(traffic_managers: &Peers) -> Result<(), String> {
    Session::open(traffic_managers, 0).await.map(drop).map_err(|error| error.to_string())
}

#[async_trait]
impl Throttle for RemoteThrottle {
    async fn lease(&self, request: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let shared = &self.shared;
        let slot = Slot::of(&request.key);
        let until = Instant::now() + shared.answer_timeout.min(OWNED_WITHIN);
        let (mut passed, mut hint) = (Vec::new(), None);
        let ask = Ask::Lease(request);
        loop {
            let Some((index, link)) = shared.pick(slot, hint.take(), &passed) else {
                if shared.is_lost() {
                    return Err(ThrottleUnavailable::Lost(None));
                }
                if Instant::now() >= until {
                    return Err(ThrottleUnavailable::Undecided(Some("nobody says that it owns the key".into())));
                }
                passed.clear();
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            match tokio::time::timeout(shared.answer_timeout, link.ask(ask.clone())).await {
                Ok(Some(Outcome::Lease(reply))) => {
                    shared.learn(slot, index);
                    return Ok(reply);
                }
                Ok(Some(Outcome::NotOwner { owner })) => {
                    hint = owner.and_then(|owner| shared.links.iter().position(|link| link.is_node(&owner)));
                    passed.push(index);
                }
                Ok(Some(_)) => return Err(ThrottleUnavailable::Unable(None)),
                // The connection ended: what may have been granted counts as spent, a new question is harmless.
                Ok(None) => passed.push(index),
                Err(_elapsed) => return Err(ThrottleUnavailable::Undecided(Some("no answer in time".into()))),
            }
        }
    }

    /// Said once: units that come back twice would be granted twice.
    async fn give_back(&self, key: &str, window_id: i64, epoch: u64, units: u64) -> Result<(), ThrottleUnavailable> {
        let shared = &self.shared;
        let Some((_, link)) = shared.pick(Slot::of(key), None, &[]) else {
            return Err(ThrottleUnavailable::Lost(None));
        };
        let ask = Ask::GiveBack { key: key.to_owned(), window_id, epoch, units };
        match tokio::time::timeout(shared.answer_timeout, link.ask(ask)).await {
            Ok(Some(Outcome::Done)) => Ok(()),
            Ok(_) => Err(ThrottleUnavailable::Undecided(None)),
            Err(_elapsed) => Err(ThrottleUnavailable::Undecided(Some("no answer in time".into()))),
        }
    }

    fn introduce(&self, holder: Weak<dyn Holder>) {
        self.shared.holders.introduce(holder);
    }
}

impl Shared {
    /// The connection to ask about a slot, none of the `passed`: `hint`, else the one that granted last, else the next.
    fn pick(&self, slot: Slot, hint: Option<usize>, passed: &[usize]) -> Option<(usize, &Link)> {
        let count = self.links.len().max(1);
        let known = self.routes.get(slot.number()).map_or(0, |route| route.load(Ordering::Relaxed)) % count;
        let candidates = hint.into_iter().chain((0..count).map(|step| (known + step) % count));
        let mut up = candidates.filter(|index| !passed.contains(index));
        up.find_map(|index| self.links.get(index).filter(|link| link.is_up()).map(|link| (index, link)))
    }

    fn learn(&self, slot: Slot, index: usize) {
        if let Some(route) = self.routes.get(slot.number())
            && route.load(Ordering::Relaxed) != index
        {
            route.store(index, Ordering::Relaxed);
        }
    }

    /// Whether no traffic manager is connected, and none may be in a moment.
    fn is_lost(&self) -> bool {
        self.links.iter().all(Link::is_down)
    }
}

impl LeaseConnector {
    /// Keeps the connections until `shutdown`. Must be called on the node's runtime.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> JoinHandle<()> {
        let mut lanes = JoinSet::new();
        for (index, questions) in self.queues.into_iter().enumerate() {
            let lane = Lane { index, questions, peers: self.peers.clone() };
            let shared = Arc::clone(&self.shared);
            lanes.spawn(async move { lane.run(&shared).await });
        }
        tokio::spawn(async move {
            shutdown.cancelled().await;
            lanes.shutdown().await;
        })
    }
}
