//! The lease of one throttle key, shared by all workers.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use domain::Timestamp;
use domain::contract::throttle::LeaseReply;
use domain::contract::{Throttle, ThrottleUnavailable};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Verdict;
use super::grant::{Grant, Unit, give_back_later, return_units};
use super::share::{Share, Tally, allowance};
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
    pub key: Arc<str>,
    grant: ArcSwapOption<Grant>,
    refusal: ArcSwapOption<Refusal>,
    refill: Arc<Mutex<Demand>>,
    alone: std::sync::Mutex<Alone>,
    /// Tick of the last call, see `LeaseBook::tick`.
    pub last_used: AtomicU64,
    pub throttle: Arc<dyn Throttle>,
}

/// The owner's word that the window is used up.
struct Refusal {
    quota: RequestQuota,
    trusted_until: Instant,
    window_ends: Instant,
}

/// What is needed to decide without the owner.
struct Alone {
    tally: Tally,
    share: Option<Arc<Share>>,
}

/// How much to ask for next; whoever holds it is the one who asks.
struct Demand {
    units: u64,
    last_refill: Option<Instant>,
}

impl Cell {
    /// A cell without a lease; `tally` is what an earlier one of the key knew.
    pub fn new(key: String, tally: Tally, throttle: Arc<dyn Throttle>, tick: u64) -> Self {
        Self {
            key: key.into(),
            grant: ArcSwapOption::empty(),
            refusal: ArcSwapOption::empty(),
            alone: std::sync::Mutex::new(Alone { tally, share: None }),
            refill: Arc::new(Mutex::new(Demand { units: 1, last_refill: None })),
            last_used: AtomicU64::new(tick),
            throttle,
        }
    }

    /// What can be said without asking the owner.
    pub fn decide(self: &Arc<Self>, quota: RequestQuota, now: Instant) -> Option<Verdict> {
        if let Some(grant) = &*self.grant.load()
            && grant.quota == quota
        {
            if grant.is_usable(quota, now) && grant.try_take() {
                return Some(Verdict::Taken(self.unit_of(grant)));
            }
            // A lease for the next window was granted ahead: this window is used up.
            if let Some(from) = grant.usable_from.filter(|from| now < *from) {
                return Some(Verdict::Exhausted { retry_in: from - now });
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
            let verdict = refill.await.map_err(|error| ThrottleUnavailable::Undecided(Some(Box::new(error))))??;
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
        }
        Err(ThrottleUnavailable::Undecided(None))
    }

    /// Gets a lease and takes its first unit before others can; `None` when the lease had ended on arrival.
    async fn refill(
        self: &Arc<Self>,
        quota: RequestQuota,
        mut demand: OwnedMutexGuard<Demand>,
    ) -> Result<Option<Verdict>, ThrottleUnavailable> {
        // A lease that ended before its window is worth something to the owner still.
        if self.grant.load().as_ref().is_some_and(|grant| Instant::now() >= grant.usable_until) {
            self.give_back_stock().await;
        }
        let sent = Instant::now();
        let reply = self.throttle.lease(quota.wish(&self.key, demand.next(quota, sent))).await?;
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
        self.alone().tally.add(&lease, sent);
        let starts_now = lease.start_in.is_zero() && received < sent + lease.end_in && lease.units > 0;
        let stock = if starts_now { lease.units - 1 } else { lease.units };
        let grant = Arc::new(Grant::new(quota, &lease, stock, [sent, received]));
        let verdict = if starts_now { Some(Verdict::Taken(self.unit_of(&grant))) } else { None };
        self.install(grant).await;
        Ok(verdict.or_else(|| self.decide(quota, received)))
    }

    fn unit_of(self: &Arc<Self>, grant: &Arc<Grant>) -> Unit {
        Unit::of_lease(Arc::clone(self), Arc::clone(grant))
    }

    /// Puts a new grant in place of the old one, whose rest moves over when both are of one window.
    async fn install(&self, grant: Arc<Grant>) {
        let Some(old) = self.grant.swap(Some(Arc::clone(&grant))) else { return };
        let rest = old.close();
        let is_same = (old.window_id, old.epoch, old.quota) == (grant.window_id, grant.epoch, grant.quota);
        if rest > 0 && !(is_same && grant.put_back(rest)) {
            self.return_rest(&old, rest).await;
        }
    }

    pub fn has_grant(&self) -> bool {
        self.grant.load().is_some()
    }

    /// Unspent units of the window that began at `window_id`.
    pub fn held(&self, window_id: i64) -> u64 {
        self.grant.load().as_ref().filter(|grant| grant.window_id == window_id).map_or(0, |grant| grant.stock())
    }

    /// Closes the grant and gives its rest back to the owner.
    pub async fn give_back_stock(&self) {
        let Some(grant) = self.grant.swap(None) else { return };
        let rest = grant.close();
        if rest > 0 {
            self.return_rest(&grant, rest).await;
        }
    }

    /// Gives back what was left of a closed grant.
    async fn return_rest(&self, grant: &Grant, rest: u64) {
        self.alone().tally.subtract(grant.window_id, rest);
        if Instant::now() < grant.ends_at {
            return_units(self.throttle.as_ref(), &self.key, grant.window_id, grant.epoch, rest).await;
        }
    }

    /// What this gateway says by itself while there is no owner, as one of `live`.
    pub fn decide_alone(&self, quota: RequestQuota, wall: Timestamp, live: u32, admitted: &Counter) -> Verdict {
        let now = Instant::now();
        let mut alone = self.alone();
        let share = match alone.share.take() {
            Some(share) if share.is_current(quota, wall) => share,
            before => Arc::new(Share::of(quota, wall, now, before.as_deref(), &alone.tally)),
        };
        alone.share = Some(Arc::clone(&share));
        let allowed = allowance(quota.requests, live, alone.tally.of(share.window.start));
        if !share.try_take(allowed) {
            return Verdict::Exhausted { retry_in: share.ends_at.saturating_duration_since(now) };
        }
        let rest = allowed.saturating_sub(share.taken());
        Verdict::Taken(Unit::of_share(share, rest, admitted.clone()))
    }

    /// Whether calls of a window that has not ended were admitted without the owner.
    pub fn remembers_share(&self, wall: Timestamp) -> bool {
        self.alone().share.as_ref().is_some_and(|share| share.taken() > 0 && wall < share.window.end)
    }

    /// What the owner gave.
    pub fn tally(&self) -> Tally {
        self.alone().tally
    }

    fn alone(&self) -> MutexGuard<'_, Alone> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cell {
    /// A cell may be forgotten while a call still uses it: what it got meanwhile must not be lost.
    fn drop(&mut self) {
        let Some(grant) = self.grant.swap(None) else { return };
        let rest = grant.close();
        if rest > 0 {
            give_back_later(&self.throttle, &self.key, &grant, rest);
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
