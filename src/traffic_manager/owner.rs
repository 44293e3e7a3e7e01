//! The shell around the decisions: keeps one bucket per key, reserves in the ledger, answers leases.

mod keys;
mod local;
mod metrics;
mod ownership;
mod sweep;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use config::sections::throttling::Throttling;
use domain::Clock;
use domain::contract::lease_ledger::Reservation;
use domain::contract::throttle::{Holder, Holders, Lease, LeaseReply, LeaseRequest};
use domain::contract::{LeaseLedger, LedgerError, Throttle, ThrottleUnavailable};
use domain::throttling::{Slot, TimeUnit};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::leases::{Bucket, Shape, Sizing, Step};
use crate::window::Timeline;
use keys::{Keys, Place};
use metrics::Counters;
use ownership::Ownership;

/// Reservations, take-overs and window changes that one lease may go through before it gives up.
const ROUNDS_MAX: u32 = 8;

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
    ownership: Ownership,
    holders: Holders,
}

impl TrafficManager {
    #[must_use]
    pub fn create(dependencies: Dependencies) -> Self {
        let Dependencies { ledger, config, clock, metrics, runtime, node_id } = dependencies;
        let owner = Owner {
            ledger,
            sizing: Sizing::from_config(&config),
            counters: Counters::register(&metrics),
            runtime,
            ownership: Ownership::new(node_id.clone()),
            holders: Holders::default(),
            node_id,
            timeline: Mutex::new(Timeline::new(clock.now(), monotonic())),
            keys: Keys::new(config.keys_max),
            clock,
            config,
        };
        Self { owner: Arc::new(owner) }
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
        let Some(place) = self.owner.keys.find(key) else { return Ok(()) };
        if let Some(bucket) = place.lock().await.bucket.as_mut() {
            bucket.give_back(monotonic(), window_id, epoch, units);
        }
        Ok(())
    }

    fn introduce(&self, holder: Weak<dyn Holder>) {
        self.owner.holders.introduce(holder);
    }
}

/// What is to be done about a wish.
enum Decision {
    Reply(LeaseReply),
    /// Reserve so many units first.
    Reserve(u64),
}

impl Owner {
    async fn lease(self: &Arc<Self>, request: &LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let slot = Slot::of(&request.key);
        let mut rounds = 0..ROUNDS_MAX;
        while rounds.next().is_some() {
            // Not while the key's place is held: who moves the slot needs it.
            self.until_held(slot).await?;
            let mut place = self.place(&request.key).lock_owned().await;
            while let Some(epoch) = self.ownership.epoch(slot) {
                let wanted = match self.decide(&mut place, request, epoch) {
                    Decision::Reply(reply) => return Ok(reply),
                    Decision::Reserve(wanted) => wanted,
                };
                if place.failed_until.is_some_and(|until| monotonic() < until) {
                    return Err(ThrottleUnavailable::Unable(None));
                }
                if rounds.next().is_none() {
                    return Err(ThrottleUnavailable::Undecided(None));
                }
                place = self.reserve(place, request, wanted).await?;
            }
        }
        Err(ThrottleUnavailable::Undecided(None))
    }

    fn decide(&self, place: &mut Place, request: &LeaseRequest, epoch: u64) -> Decision {
        let now = monotonic();
        let bucket = self.current(place, now, (request.unit_time.max(1), request.time_unit), epoch);
        let (window_id, end_in) = (bucket.window.start.as_millis(), bucket.ends_in(now));
        match bucket.take(request.limit, request.units, &self.sizing) {
            Step::Grant(units) => {
                let (start_in, rest) = (Duration::ZERO, bucket.rest(request.limit));
                Decision::Reply(LeaseReply::Granted(Lease { window_id, epoch, units, start_in, end_in, rest }))
            }
            Step::Exhausted => {
                let is_lent = bucket.lent() > 0;
                if is_lent && place.recalled_at.is_none_or(|at| now.saturating_duration_since(at) >= RECALL_PAUSE) {
                    place.recalled_at = Some(now);
                    self.holders.recall(&request.key);
                }
                Decision::Reply(LeaseReply::Exhausted { window_id, retry_in: end_in })
            }
            Step::Reserve(wanted) => Decision::Reserve(wanted),
        }
    }

    /// Reserves for the key's bucket while nobody else decides about the key. The work is a task of its own: a caller
    /// that goes away must not lose units that the ledger has given.
    async fn reserve(
        self: &Arc<Self>,
        place: OwnedMutexGuard<Place>,
        request: &LeaseRequest,
        wanted: u64,
    ) -> Result<OwnedMutexGuard<Place>, ThrottleUnavailable> {
        let Some(bucket) = &place.bucket else { return Ok(place) };
        let reservation = Reservation {
            slot: Slot::of(&request.key),
            key: ledger_key(&request.key, request.unit_time.max(1), request.time_unit),
            epoch: bucket.epoch,
            window_id: bucket.window.start.as_millis(),
            window_end: bucket.window.end,
            limit: request.limit,
            units: wanted,
        };
        let owner = Arc::clone(self);
        let task = self.runtime.spawn(async move { owner.reserve_for(place, reservation).await });
        // The task neither panics nor is aborted, unless the runtime stops.
        task.await.map_err(|error| ThrottleUnavailable::Undecided(Some(Box::new(error))))?.map_err(unavailable)
    }

    async fn reserve_for(
        &self,
        mut place: OwnedMutexGuard<Place>,
        reservation: Reservation,
    ) -> Result<OwnedMutexGuard<Place>, LedgerError> {
        let Reservation { slot, epoch, limit, units: wanted, .. } = reservation;
        match self.ledger.reserve(reservation).await {
            Ok(reserved) => {
                self.counters.reservations.inc();
                place.failed_until = None;
                if let Some(bucket) = place.bucket.as_mut() {
                    bucket.add(limit, wanted, reserved);
                }
                Ok(place)
            }
            Err(LedgerError::Fenced { held, current }) => {
                tracing::warn!(epoch.held = held, epoch.current = current, "another traffic manager owns a slot");
                self.ownership.slots().fenced(slot, epoch);
                Ok(place)
            }
            Err(error) => {
                self.counters.ledger_failures.inc();
                place.failed_until = Some(monotonic() + self.config.ledger_backoff.get());
                Err(error)
            }
        }
    }

    /// The bucket for the window that contains `now`, opened when the place has none.
    fn current<'s>(&self, place: &'s mut Place, now: Instant, shape: Shape, epoch: u64) -> &'s mut Bucket {
        let before = place.bucket.take();
        let bucket = match before {
            Some(bucket) if bucket.is_current(now, shape, epoch) => bucket,
            before => Bucket::open(&self.timeline(), now, shape, epoch, before.as_ref()),
        };
        place.bucket.insert(bucket)
    }

    fn place(&self, key: &str) -> Arc<tokio::sync::Mutex<Place>> {
        let (place, evicted) = self.keys.get(key, monotonic());
        self.counters.evictions.inc_by(evicted);
        place
    }

    fn timeline(&self) -> Timeline {
        *self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Windows of different lengths may begin at the same instant; in the ledger they are different keys.
fn ledger_key(key: &str, unit_time: u32, time_unit: TimeUnit) -> String {
    format!("{key}|{unit_time}{}", time_unit.as_str())
}

fn unavailable(error: LedgerError) -> ThrottleUnavailable {
    match error {
        LedgerError::Fenced { .. } => ThrottleUnavailable::Undecided(Some(Box::new(error))),
        LedgerError::Unavailable(_) => ThrottleUnavailable::Unable(Some(Box::new(error))),
    }
}

/// The monotonic clock; tokio's, because tests can stop it.
fn monotonic() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
