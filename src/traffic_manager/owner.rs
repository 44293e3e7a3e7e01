//! The shell around the decisions: keeps one bucket per key, reserves in the ledger, answers leases.

mod journal;
mod keys;
mod local;
mod look;
mod metrics;
mod ownership;
mod sweep;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use config::sections::throttling::Throttling;
use domain::contract::throttle::{Holder, Holders, Lease, LeaseReply, LeaseRequest};
use domain::contract::{LeaseLedger, LedgerError, Throttle, ThrottleUnavailable};
use domain::throttling::{Shape, Slot};
use domain::{Clock, Timestamp};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::leases::{Bucket, Sizing, Step, needs_look};
use crate::window::Timeline;
use journal::{Journal, Order};
use keys::{Keys, Place, Turn};
use metrics::Counters;
use ownership::Ownership;

/// Reservations, turns, take-overs and window changes that one lease may go through before it gives up.
const ROUNDS_MAX: u32 = 16;

/// Least time between two recalls of one key's units.
const RECALL_PAUSE: Duration = Duration::from_millis(100);

/// What the traffic manager needs.
pub struct Dependencies {
    pub ledger: Arc<dyn LeaseLedger>,
    pub config: Throttling,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
    /// Reservations run here, so that they end whatever becomes of the caller.
    pub runtime: Handle,
    /// Name of this node in the ledger.
    pub node_id: String,
}

/// The owner of some slots of throttle keys, or of all; clones share everything.
#[derive(Clone)]
pub struct TrafficManager {
    owner: Arc<Owner>,
}

struct Owner {
    ledger: Arc<dyn LeaseLedger>,
    config: Throttling,
    sizing: Sizing,
    clock: Arc<dyn Clock>,
    counters: Counters,
    runtime: Handle,
    node_id: String,
    timeline: Mutex<Timeline>,
    keys: Keys,
    journal: Journal,
    ownership: Ownership,
    holders: Holders,
}

impl TrafficManager {
    #[must_use]
    pub fn create(dependencies: Dependencies) -> Self {
        let Dependencies { ledger, config, clock, metrics, runtime, node_id } = dependencies;
        let (journal, entries) = Journal::new();
        let owner = Arc::new(Owner {
            ledger,
            sizing: Sizing::from_config(&config),
            counters: Counters::register(&metrics),
            runtime,
            ownership: Ownership::new(node_id.clone()),
            holders: Holders::default(),
            node_id,
            timeline: Mutex::new(Timeline::new(clock.now(), monotonic())),
            keys: Keys::new(config.keys_max),
            journal,
            clock,
            config,
        });
        owner.runtime.spawn(journal::run(Arc::downgrade(&owner), entries));
        Self { owner }
    }

    /// What gateways on other nodes ask for leases: keys of other owners are answered with the owner.
    #[must_use]
    pub fn throttle(&self) -> Arc<dyn Throttle> {
        Arc::new(self.clone())
    }

    /// What a gateway in this process asks for leases: keys of other owners are asked of `others`, and without them this
    /// node becomes the owner.
    #[must_use]
    pub fn local_throttle(&self, others: Option<Arc<dyn Throttle>>) -> Arc<dyn Throttle> {
        Arc::new(local::Local { own: self.clone(), others })
    }

    /// Starts the renewal of slots and the removal of ended windows; with `shutdown` they end, and the slots are given up.
    /// Leases are answered also without them.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> Vec<JoinHandle<()>> {
        let runtime = self.owner.runtime.clone();
        let renewing = runtime.spawn(ownership::run(Arc::clone(&self.owner), shutdown.clone()));
        vec![renewing, runtime.spawn(sweep::run(self.owner, shutdown))]
    }
}

#[async_trait]
impl Throttle for TrafficManager {
    async fn lease(&self, request: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let reply = Owner::lease(&self.owner, &request).await;
        self.owner.counters.count(&reply);
        reply
    }

    async fn give_back(&self, key: &str, window_id: i64, epoch: u64, units: u64) -> Result<(), ThrottleUnavailable> {
        self.owner.keys.find(key, |place| {
            if let Some(bucket) = place.bucket {
                bucket.give_back(monotonic(), window_id, epoch, units);
            }
        });
        Ok(())
    }

    fn introduce(&self, holder: Weak<dyn Holder>) {
        self.owner.holders.introduce(holder);
    }
}

/// What is to be done about a wish.
enum Decision {
    Reply(LeaseReply),
    /// This node does not hold the slot, as far as it knows.
    NotHeld,
    /// The ledger has failed a moment ago.
    Failing,
    /// Ask the ledger first, when it is this one's turn.
    Ask(Ask, Turn),
}

/// What the ledger must say before a wish can be decided.
enum Ask {
    /// Which window is open.
    Window(Look),
    /// For another block.
    Block(Order),
}

/// What the ledger is asked about a key whose windows open with calls.
#[derive(Debug, Clone, Copy)]
struct Look {
    slot: Slot,
    shape: Shape,
    /// Under which the question is asked: the answer is of no use under another.
    epoch: u64,
}

impl Owner {
    async fn lease(self: &Arc<Self>, request: &LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let slot = Slot::of(&request.key);
        let mut own_turn = None;
        for _ in 0..ROUNDS_MAX {
            match self.decide(request, slot) {
                Decision::Reply(reply) => return Ok(reply),
                Decision::Failing => return Err(ThrottleUnavailable::Unable(None)),
                Decision::NotHeld => {
                    // Not in one's turn: who moves the slot waits for that.
                    own_turn = None;
                    self.until_held(slot).await?;
                }
                Decision::Ask(ask, turn) => {
                    own_turn = Some(match (own_turn.take(), ask) {
                        // Whoever had it before may have asked, and got enough for two.
                        (None, _) => turn.lock_owned().await,
                        (Some(own), Ask::Window(look)) => {
                            self.look(&request.key, look).await?;
                            own
                        }
                        (Some(own), Ask::Block(order)) => self.journal.reserve(order, own).await?,
                    });
                }
            }
        }
        Err(ThrottleUnavailable::Undecided(None))
    }

    fn decide(&self, request: &LeaseRequest, slot: Slot) -> Decision {
        let now = monotonic();
        let (decision, evicted) = self.keys.with(&request.key, now, |place| match self.ownership.epoch(slot) {
            Some(epoch) => self.decide_at(place, request, epoch, now),
            None => Decision::NotHeld,
        });
        self.counters.evictions.inc_by(evicted);
        decision
    }

    fn decide_at(&self, place: &mut Place<'_>, request: &LeaseRequest, epoch: u64, now: Instant) -> Decision {
        let shape = request.shape();
        let sizing = self.sizing.among(self.keys.len() as u64);
        let is_failing = place.failed_until().is_some_and(|until| now < until);
        let is_current = place.bucket.as_ref().is_some_and(|bucket| bucket.is_current(now, shape, epoch));
        if !is_current && needs_look(place.bucket.as_ref(), shape, epoch) {
            if is_failing {
                return Decision::Failing;
            }
            let look = Look { slot: Slot::of(&request.key), shape, epoch };
            return Decision::Ask(Ask::Window(look), Arc::clone(&place.rare().turn));
        }
        let bucket = self.current(place, now, shape, epoch);
        let (window_id, end_in) = (bucket.window_id(), bucket.ends_in(now));
        match bucket.take(request.limit, request.units, &sizing) {
            Step::Grant(units) => {
                let (start_in, rest) = (Duration::ZERO, bucket.rest(request.limit));
                let ahead = bucket.ahead(request.limit, &sizing);
                if ahead > 0 {
                    self.reserve_ahead(place, request, ahead);
                }
                Decision::Reply(LeaseReply::Granted(Lease { window_id, epoch, units, start_in, end_in, rest }))
            }
            Step::Exhausted => {
                if bucket.lent() > 0 {
                    self.recall(place, now);
                }
                Decision::Reply(LeaseReply::Exhausted { window_id, retry_in: end_in })
            }
            Step::Reserve(_) if is_failing => Decision::Failing,
            Step::Reserve(wanted) => {
                let order = order(bucket, request, wanted);
                Decision::Ask(Ask::Block(order), Arc::clone(&place.rare().turn))
            }
        }
    }

    /// Opens the bucket of the window that the ledger says is open, else one that opens now.
    async fn look(&self, key: &str, look: Look) -> Result<(), ThrottleUnavailable> {
        let Look { slot, shape, epoch } = look;
        let at = self.timeline().at(monotonic());
        let found = self.ledger.open_since(&shape.name_of(key, &shape.window(at)), at).await;
        let open_since = found.map_err(|error| {
            self.ledger_failed(std::iter::once(key));
            unavailable(error)
        })?;
        self.keys.with(key, monotonic(), |place| {
            // Slots that have moved meanwhile may have come back: what another owner did in between was not seen.
            if self.ownership.epoch(slot) == Some(epoch) && needs_look(place.bucket.as_ref(), shape, epoch) {
                self.open(place, look, open_since);
            }
        });
        Ok(())
    }

    /// Leaves the ledger alone for a while about these keys, for which it has just failed.
    fn ledger_failed<'k>(&self, keys: impl Iterator<Item = &'k str>) {
        self.counters.ledger_failures.inc();
        let until = monotonic() + self.config.ledger_backoff.get();
        for key in keys {
            self.keys.find(key, |place| place.rare().failed_until = Some(until));
        }
    }

    fn open(&self, place: &mut Place<'_>, look: Look, open_since: Option<Timestamp>) {
        let Look { shape, epoch, .. } = look;
        let before = place.bucket.take();
        *place.bucket = Some(Bucket::open(&self.timeline(), monotonic(), shape, epoch, before.as_ref(), open_since));
    }

    /// Asks for units that are lent to come back, unless that was done just now.
    fn recall(&self, place: &mut Place<'_>, now: Instant) {
        let rare = place.rare();
        if rare.recalled_at.is_none_or(|at| now.saturating_duration_since(at) >= RECALL_PAUSE) {
            rare.recalled_at = Some(now);
            self.holders.recall(place.key);
        }
    }

    /// Reserves another block while there still are units, unless somebody reserves already.
    fn reserve_ahead(&self, place: &mut Place<'_>, request: &LeaseRequest, units: u64) {
        let Some(bucket) = &*place.bucket else { return };
        let order = order(bucket, request, units);
        if let Ok(turn) = Arc::clone(&place.rare().turn).try_lock_owned() {
            self.journal.reserve_ahead(order, turn);
        }
    }

    /// The bucket for the window that contains `now`, opened when the place has none.
    fn current<'s>(&self, place: &'s mut Place<'_>, now: Instant, shape: Shape, epoch: u64) -> &'s mut Bucket {
        let before = place.bucket.take();
        let bucket = match before {
            Some(bucket) if bucket.is_current(now, shape, epoch) => bucket,
            before => Bucket::open(&self.timeline(), now, shape, epoch, before.as_ref(), None),
        };
        place.bucket.insert(bucket)
    }

    fn timeline(&self) -> Timeline {
        *self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wish for a block of a bucket's window.
fn order(bucket: &Bucket, request: &LeaseRequest, units: u64) -> Order {
    let reservation = bucket.reservation(&request.key, request.limit, units);
    Order { key: request.key.clone(), shape: bucket.shape(), reservation }
}

fn unavailable(error: LedgerError) -> ThrottleUnavailable {
    ThrottleUnavailable::Unable(Some(Box::new(error)))
}

/// The monotonic clock; tokio's, because tests can stop it.
fn monotonic() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
