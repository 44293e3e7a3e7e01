//! One lease as it is spent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::contract::Throttle;
use domain::contract::throttle::Lease;
use prometheus_client::metrics::counter::Counter;

use super::cell::Cell;
use super::share::Share;
use crate::table::RequestQuota;

/// A lease ends by one part in this many of its life before its window: clocks of nodes may differ in rate by so much.
const DRIFT_PART: u32 = 32;

/// Set in the count of units once the grant takes nothing back any more.
const CLOSED: u64 = 1 << 63;

/// Units of one window, usable between two moments of this machine's monotonic clock.
#[derive(Debug)]
pub(super) struct Grant {
    pub quota: RequestQuota,
    pub window_id: i64,
    pub epoch: u64,
    /// `None` for at once.
    pub usable_from: Option<Instant>,
    /// Some time before the window ends, see [`Grant::new`].
    pub usable_until: Instant,
    /// When the window ends, by this machine's clock.
    pub ends_at: Instant,
    /// Units that the owner still had when it made the grant.
    rest: u64,
    units: AtomicU64,
}

/// A unit that was taken. Dropped without [`Unit::spend`] it goes back.
pub struct Unit {
    source: Source,
    is_spent: bool,
}

/// Where a unit was taken from, and goes back to.
enum Source {
    Lease {
        cell: Arc<Cell>,
        grant: Arc<Grant>,
    },
    /// What the gateway may admit without the owner; `rest` more units of it were left.
    Share {
        share: Arc<Share>,
        rest: u64,
        admitted: Counter,
    },
    /// Nothing is counted while the owner is away, but the calls.
    Uncounted {
        admitted: Counter,
    },
}

impl Grant {
    /// A grant of `lease` with `stock` units of it left, which was asked for at `sent` and came at `received`. It ends a
    /// little before its window does: the owner's clock may run faster than this one.
    pub fn new(quota: RequestQuota, lease: &Lease, stock: u64, [sent, received]: [Instant; 2]) -> Self {
        let usable_from = (!lease.start_in.is_zero()).then(|| received + lease.start_in);
        let ends_at = sent + lease.end_in;
        let usable_until = sent + lease.end_in.saturating_sub(lease.end_in / DRIFT_PART);
        let units = AtomicU64::new(stock.min(CLOSED - 1));
        let (window_id, epoch, rest) = (lease.window_id, lease.epoch, lease.rest);
        Self { quota, window_id, epoch, usable_from, usable_until, ends_at, rest, units }
    }

    /// Units that the window still has, as far as is known here.
    fn remaining(&self) -> u64 {
        self.rest.saturating_add(self.stock())
    }

    /// Units that are left of the grant itself.
    pub fn stock(&self) -> u64 {
        let units = self.units.load(Ordering::Relaxed);
        if units & CLOSED == 0 { units } else { 0 }
    }

    pub fn is_usable(&self, quota: RequestQuota, now: Instant) -> bool {
        self.quota == quota && self.usable_from.is_none_or(|from| from <= now) && now < self.usable_until
    }

    /// Takes one unit if there is one.
    pub fn try_take(&self) -> bool {
        let take = |units: u64| (units & CLOSED == 0 && units > 0).then(|| units - 1);
        self.units.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Puts units back; refused once the grant is closed.
    pub fn put_back(&self, count: u64) -> bool {
        let put = |units: u64| (units & CLOSED == 0).then(|| units.saturating_add(count).min(CLOSED - 1));
        self.units.fetch_update(Ordering::AcqRel, Ordering::Acquire, put).is_ok()
    }

    /// Ends the grant and returns the units that were left; a second call returns none.
    pub fn close(&self) -> u64 {
        let units = self.units.swap(CLOSED, Ordering::AcqRel);
        if units & CLOSED == 0 { units } else { 0 }
    }
}

impl Unit {
    pub(super) fn of_lease(cell: Arc<Cell>, grant: Arc<Grant>) -> Self {
        Self { source: Source::Lease { cell, grant }, is_spent: false }
    }

    pub(super) fn of_share(share: Arc<Share>, rest: u64, admitted: Counter) -> Self {
        Self { source: Source::Share { share, rest, admitted }, is_spent: false }
    }

    pub(super) fn uncounted(admitted: Counter) -> Self {
        Self { source: Source::Uncounted { admitted }, is_spent: false }
    }

    /// How many further calls the window admits, as far as is known here, and how long after `now` it ends.
    #[must_use]
    pub fn outlook(&self, now: Instant) -> (u64, Duration) {
        let ends_in = |ends_at: Instant| ends_at.saturating_duration_since(now);
        match &self.source {
            Source::Lease { grant, .. } => (grant.remaining(), ends_in(grant.ends_at)),
            Source::Share { share, rest, .. } => (*rest, ends_in(share.ends_at)),
            Source::Uncounted { .. } => (0, Duration::ZERO),
        }
    }

    /// The call passes: the unit is gone for good.
    pub fn spend(mut self) {
        self.is_spent = true;
        if let Source::Share { admitted, .. } | Source::Uncounted { admitted } = &self.source {
            admitted.inc();
        }
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit").field("is_spent", &self.is_spent).finish_non_exhaustive()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if self.is_spent {
            return;
        }
        let (cell, grant) = match &self.source {
            Source::Lease { cell, grant } => (cell, grant),
            Source::Share { share, .. } => return share.put_back(),
            Source::Uncounted { .. } => return,
        };
        if !grant.put_back(1) {
            give_back_later(&cell.throttle, &cell.key, grant, 1);
        }
    }
}

/// Gives units of a closed grant back to the owner without waiting for it.
pub(super) fn give_back_later(throttle: &Arc<dyn Throttle>, key: &Arc<str>, grant: &Grant, units: u64) {
    if Instant::now() >= grant.ends_at {
        return;
    }
    let (throttle, key, window_id, epoch) = (Arc::clone(throttle), Arc::clone(key), grant.window_id, grant.epoch);
    // Outside a runtime (the process is ending) they stay spent: too few calls pass, never too many.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { return_units(throttle.as_ref(), &key, window_id, epoch, units).await });
    }
}

/// Gives units back to the owner; when it cannot be reached they count as spent.
pub(super) async fn return_units(throttle: &dyn Throttle, key: &str, window_id: i64, epoch: u64, units: u64) {
    if let Err(error) = throttle.give_back(key, window_id, epoch, units).await {
        tracing::debug!(throttle.key = key, units, %error, "units could not be given back and count as spent");
    }
}
