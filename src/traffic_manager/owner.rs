//! The shell around the decisions: keeps one bucket per key, reserves in the ledger, answers leases.

mod keys;
mod metrics;
mod sweep;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use config::sections::throttling::Throttling;
use domain::Clock;
use domain::contract::lease_ledger::Reservation;
use domain::contract::throttle::{Lease, LeaseReply, LeaseRequest};
use domain::contract::{LeaseLedger, LedgerError, Throttle, ThrottleUnavailable};
use domain::throttling::TimeUnit;
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::leases::{Bucket, Shape, Sizing, Step};
use crate::window::Timeline;
use keys::{Keys, Slot};
use metrics::Counters;

/// Reservations, take-overs and window changes that one lease may go through before it gives up.
const ROUNDS_MAX: u32 = 8;

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

/// The owner of all throttle keys; clones share everything.
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
    /// The ownership under which leases are granted; 0 before the first and after it was lost.
    epoch: AtomicU64,
    /// Held while ownership is taken, so that it is taken once.
    taking_over: tokio::sync::Mutex<()>,
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
            node_id,
            timeline: Mutex::new(Timeline::new(clock.now(), monotonic())),
            keys: Keys::new(config.keys_max),
            epoch: AtomicU64::new(0),
            taking_over: tokio::sync::Mutex::default(),
            clock,
            config,
        };
        Self { owner: Arc::new(owner) }
    }

    /// What gateways ask for leases.
    #[must_use]
    pub fn throttle(&self) -> Arc<dyn Throttle> {
        Arc::new(self.clone())
    }

    /// Starts the removal of ended windows; it ends with `shutdown`. Leases are answered also without it.
    #[must_use]
    pub fn start(self, shutdown: CancellationToken) -> JoinHandle<()> {
        let runtime = self.owner.runtime.clone();
        runtime.spawn(sweep::run(self.owner, shutdown))
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
        let Some(slot) = self.owner.keys.find(key) else { return Ok(()) };
        if let Some(bucket) = slot.lock().await.bucket.as_mut() {
            bucket.give_back(monotonic(), window_id, epoch, units);
        }
        Ok(())
    }
}

impl Owner {
    async fn lease(self: &Arc<Self>, request: &LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let shape: Shape = (request.unit_time.max(1), request.time_unit);
        let mut slot = self.slot(&request.key).lock_owned().await;
        for _ in 0..ROUNDS_MAX {
            let epoch = self.epoch().await.map_err(unavailable)?;
            let now = monotonic();
            let bucket = self.current(&mut slot, now, shape, epoch);
            let wanted = match bucket.take(request.limit, request.units, &self.sizing) {
                Step::Grant(units) => {
                    let (window_id, end_in) = (bucket.window.start.as_millis(), bucket.ends_in(now));
                    let rest = bucket.rest(request.limit);
                    return Ok(LeaseReply::Granted(Lease {
                        window_id,
                        epoch,
                        units,
                        start_in: Duration::ZERO,
                        end_in,
                        rest,
                    }));
                }
                Step::Exhausted => {
                    let (window_id, retry_in) = (bucket.window.start.as_millis(), bucket.ends_in(now));
                    return Ok(LeaseReply::Exhausted { window_id, retry_in });
                }
                Step::Reserve(wanted) => wanted,
            };
            if slot.failed_until.is_some_and(|until| now < until) {
                return Err(ThrottleUnavailable(None));
            }
            slot = self.reserve(slot, request, wanted).await?;
        }
        Err(ThrottleUnavailable(None))
    }

    /// Reserves for the slot's bucket while nobody else decides about the key. The work is a task of its own: a caller
    /// that goes away must not lose units that the ledger has given.
    async fn reserve(
        self: &Arc<Self>,
        slot: OwnedMutexGuard<Slot>,
        request: &LeaseRequest,
        wanted: u64,
    ) -> Result<OwnedMutexGuard<Slot>, ThrottleUnavailable> {
        let Some(bucket) = &slot.bucket else { return Ok(slot) };
        let reservation = Reservation {
            key: ledger_key(&request.key, request.unit_time.max(1), request.time_unit),
            epoch: bucket.epoch,
            window_id: bucket.window.start.as_millis(),
            window_end: bucket.window.end,
            limit: request.limit,
            units: wanted,
        };
        let owner = Arc::clone(self);
        let task = self.runtime.spawn(async move { owner.reserve_for(slot, reservation).await });
        // The task neither panics nor is aborted, unless the runtime stops.
        task.await.map_err(|error| ThrottleUnavailable(Some(Box::new(error))))?.map_err(unavailable)
    }

    async fn reserve_for(
        &self,
        mut slot: OwnedMutexGuard<Slot>,
        reservation: Reservation,
    ) -> Result<OwnedMutexGuard<Slot>, LedgerError> {
        let Reservation { epoch, limit, units: wanted, .. } = reservation;
        match self.ledger.reserve(reservation).await {
            Ok(reserved) => {
                self.counters.reservations.inc();
                slot.failed_until = None;
                if let Some(bucket) = slot.bucket.as_mut() {
                    bucket.add(limit, wanted, reserved);
                }
                Ok(slot)
            }
            Err(LedgerError::Fenced { held, current }) => {
                tracing::warn!(
                    epoch.held = held,
                    epoch.current = current,
                    "another owner reserved leases, taking over"
                );
                // Only the epoch that was refused: another key may have taken over already.
                let _lost = self.epoch.compare_exchange(epoch, 0, Ordering::AcqRel, Ordering::Acquire);
                Ok(slot)
            }
            Err(error) => {
                self.counters.ledger_failures.inc();
                slot.failed_until = Some(monotonic() + self.config.ledger_backoff.get());
                Err(error)
            }
        }
    }

    /// The bucket for the window that contains `now`, opened when the slot has none.
    fn current<'s>(&self, slot: &'s mut Slot, now: Instant, shape: Shape, epoch: u64) -> &'s mut Bucket {
        let before = slot.bucket.take();
        let bucket = match before {
            Some(bucket) if bucket.is_current(now, shape, epoch) => bucket,
            before => Bucket::open(&self.timeline(), now, shape, epoch, before.as_ref()),
        };
        slot.bucket.insert(bucket)
    }

    fn slot(&self, key: &str) -> Arc<tokio::sync::Mutex<Slot>> {
        let (slot, evicted) = self.keys.get(key, monotonic());
        self.counters.evictions.inc_by(evicted);
        slot
    }

    async fn epoch(&self) -> Result<u64, LedgerError> {
        let known = || Some(self.epoch.load(Ordering::Acquire)).filter(|epoch| *epoch > 0);
        if let Some(epoch) = known() {
            return Ok(epoch);
        }
        let _turn = self.taking_over.lock().await;
        if let Some(epoch) = known() {
            return Ok(epoch);
        }
        let epoch = self.ledger.take_over(&self.node_id).await?;
        self.epoch.store(epoch, Ordering::Release);
        tracing::info!(epoch, "owner of throttle keys");
        Ok(epoch)
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
    ThrottleUnavailable(Some(Box::new(error)))
}

/// The monotonic clock; tokio's, because tests can stop it.
fn monotonic() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
