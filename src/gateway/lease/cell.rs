//! The lease of one throttle key, shared by all workers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use domain::contract::throttle::{LeaseReply, LeaseRequest};
use domain::contract::{Throttle, ThrottleUnavailable};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Verdict;
use super::grant::{Grant, Unit, return_units};
use crate::table::RequestQuota;

/// How long a refusal is believed before the owner is asked again: other gateways may have given units back.
const REFUSAL_TRUSTED: Duration = Duration::from_millis(50);

/// A lease that was used up this fast asks for twice as much, a slower one for half.
const FAST: Duration = Duration::from_millis(100);

/// Most units of one lease, and the largest part of a window's limit that one lease may be.
const UNITS_MAX: u64 = 1024;
const LIMIT_PART: u64 = 16;

/// Leases that are asked for in a row when each has ended before its answer came.
const ATTEMPTS: usize = 3;

pub(super) struct Cell {
    key: Arc<str>,
    grant: ArcSwapOption<Grant>,
    refusal: ArcSwapOption<Refusal>,
    refill: Arc<Mutex<Demand>>,
    /// Tick of the last call, see `LeaseBook::tick`.
    pub last_used: AtomicU64,
    throttle: Arc<dyn Throttle>,
}

/// The owner's word that the window is used up.
struct Refusal {
    quota: RequestQuota,
    trusted_until: Instant,
    window_ends: Instant,
}

/// How much to ask for next; whoever holds it is the one who asks.
struct Demand {
    units: u64,
    last_refill: Option<Instant>,
}

impl Cell {
    pub fn new(key: String, throttle: Arc<dyn Throttle>) -> Self {
        Self {
            key: key.into(),
            grant: ArcSwapOption::empty(),
            refusal: ArcSwapOption::empty(),
            refill: Arc::new(Mutex::new(Demand { units: 1, last_refill: None })),
            last_used: AtomicU64::new(0),
            throttle,
        }
    }

    /// What can be said without asking the owner.
    pub fn decide(&self, quota: RequestQuota, now: Instant) -> Option<Verdict> {
        if let Some(grant) = &*self.grant.load()
            && grant.quota == quota
        {
            if grant.is_usable(quota, now) && grant.try_take() {
                return Some(Verdict::Taken(self.unit_of(grant)));
            }
            // A lease for the next window was granted ahead: this window is used up.
            if now < grant.usable_from {
                return Some(Verdict::Exhausted { retry_in: grant.usable_from - now });
            }
        }
        let refusal = self.refusal.load();
        let refusal = refusal.as_ref().filter(|own| own.quota == quota && now < own.trusted_until)?;
        Some(Verdict::Exhausted { retry_in: refusal.window_ends.saturating_duration_since(now) })
    }

    /// Asks the owner, or waits for the answer that another call is asking for.
    pub async fn refill_and_decide(
        self: &Arc<Self>,
        quota: RequestQuota,
        refills: &Counter,
    ) -> Result<Verdict, ThrottleUnavailable> {
        for _ in 0..ATTEMPTS {
            let demand = Arc::clone(&self.refill).lock_owned().await;
            if let Some(verdict) = self.decide(quota, Instant::now()) {
                return Ok(verdict);
            }
            refills.inc();
            // A task of its own: a client that hangs up must not lose the units that are on their way.
            let cell = Arc::clone(self);
            let refill = tokio::spawn(async move { cell.refill(quota, demand).await });
            let verdict = refill.await.map_err(|error| ThrottleUnavailable(Some(Box::new(error))))??;
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
        }
        Err(ThrottleUnavailable(None))
    }

    /// Gets a lease and takes its first unit before others can; `None` when the lease had ended on arrival.
    async fn refill(
        &self,
        quota: RequestQuota,
        mut demand: OwnedMutexGuard<Demand>,
    ) -> Result<Option<Verdict>, ThrottleUnavailable> {
        let sent = Instant::now();
        let request = LeaseRequest {
            key: self.key.to_string(),
            limit: quota.requests,
            unit_time: quota.unit_time,
            time_unit: quota.time_unit,
            units: demand.next(quota, sent),
        };
        let reply = self.throttle.lease(request).await?;
        let received = Instant::now();
        let lease = match reply {
            LeaseReply::Granted(lease) => lease,
            LeaseReply::Exhausted { retry_in, .. } => {
                let (trusted_until, window_ends) = (received + REFUSAL_TRUSTED.min(retry_in), received + retry_in);
                self.refusal.store(Some(Arc::new(Refusal { quota, trusted_until, window_ends })));
                // Between the look at the stock and now a unit may have come back.
                return Ok(Some(self.decide(quota, received).unwrap_or(Verdict::Exhausted { retry_in })));
            }
        };
        let usable = [received + lease.start_in, sent + lease.end_in];
        let starts_now = lease.start_in.is_zero() && received < sent + lease.end_in && lease.units > 0;
        let stock = if starts_now { lease.units - 1 } else { lease.units };
        let grant = Arc::new(Grant::new(quota, &lease, stock, usable));
        let verdict = if starts_now { Some(Verdict::Taken(self.unit_of(&grant))) } else { None };
        self.install(grant).await;
        Ok(verdict.or_else(|| self.decide(quota, received)))
    }

    fn unit_of(&self, grant: &Arc<Grant>) -> Unit {
        Unit::new(Arc::clone(grant), Arc::clone(&self.key), Arc::clone(&self.throttle))
    }

    /// Puts a new grant in place of the old one, whose rest moves over when both are of one window.
    async fn install(&self, grant: Arc<Grant>) {
        let Some(old) = self.grant.swap(Some(Arc::clone(&grant))) else { return };
        let rest = old.close();
        let is_same = (old.window_id, old.epoch, old.quota) == (grant.window_id, grant.epoch, grant.quota);
        if rest > 0 && !(is_same && grant.put_back(rest)) && Instant::now() < old.usable_until {
            return_units(self.throttle.as_ref(), &self.key, old.window_id, old.epoch, rest).await;
        }
    }

    pub fn has_grant(&self) -> bool {
        self.grant.load().is_some()
    }

    /// Closes the grant and gives its rest back to the owner.
    pub async fn give_back_stock(&self) {
        let Some(grant) = self.grant.swap(None) else { return };
        let rest = grant.close();
        if rest > 0 && Instant::now() < grant.usable_until {
            return_units(self.throttle.as_ref(), &self.key, grant.window_id, grant.epoch, rest).await;
        }
    }
}

impl Demand {
    fn next(&mut self, quota: RequestQuota, now: Instant) -> u64 {
        if let Some(last) = self.last_refill {
            self.units = if now - last < FAST { self.units.saturating_mul(2) } else { self.units / 2 };
        }
        self.last_refill = Some(now);
        self.units = self.units.clamp(1, (quota.requests / LIMIT_PART).clamp(1, UNITS_MAX));
        self.units
    }
}
