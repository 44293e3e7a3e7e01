//! What a gateway admits by itself while no traffic manager decides: its share of a quota.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use domain::Timestamp;
use domain::contract::throttle::Lease;
use domain::throttling::window::Window;

use crate::table::RequestQuota;

/// One window of one key, by the wall clock: an aligned one as the traffic manager's, one of the first request as the
/// traffic manager opened it if that is known here, else opened here.
#[derive(Debug)]
pub(super) struct Share {
    pub quota: RequestQuota,
    pub window: Window,
    /// When the window ends, on this machine's monotonic clock.
    pub ends_at: Instant,
    /// Units admitted here without the owner.
    taken: AtomicU64,
}

impl Share {
    /// The share of the window that contains `wall`, which is `now`. What `before` admitted in the same window counts.
    pub(super) fn of(quota: RequestQuota, wall: Timestamp, now: Instant, before: Option<&Self>, tally: &Tally) -> Self {
        let opened = if quota.shape.opens_with_a_call() { opened(quota, wall, before, tally) } else { None };
        let window = opened.unwrap_or_else(|| quota.shape.window(wall));
        let taken = before.filter(|before| before.window.start == window.start).map_or(0, Self::taken);
        Self { quota, window, ends_at: now + window.end.since(wall), taken: AtomicU64::new(taken) }
    }

    /// Whether it speaks for `quota` at `wall`.
    pub(super) fn is_current(&self, quota: RequestQuota, wall: Timestamp) -> bool {
        self.quota == quota && self.window.contains(wall)
    }

    /// Takes a unit when fewer than `allowed` are taken.
    pub(super) fn try_take(&self, allowed: u64) -> bool {
        let take = |taken: u64| (taken < allowed).then(|| taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Puts a unit back that was taken.
    pub(super) fn put_back(&self) {
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }
}

/// The window of the first request that is open at `wall`: the owner's, or the one that `before` was of.
fn opened(quota: RequestQuota, wall: Timestamp, before: Option<&Share>, tally: &Tally) -> Option<Window> {
    let before = before.filter(|before| before.quota.shape == quota.shape).map(|before| before.window.start);
    let owners = Some(Timestamp::from_millis(tally.window_id)).filter(|_| tally.units > 0);
    let starts = [owners, before];
    starts.into_iter().flatten().map(|start| quota.shape.window(start)).find(|window| window.contains(wall))
}

/// Units that the owner gave in its latest window: all of them count as spent here, except those that went back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    window_id: i64,
    units: u64,
    /// When the window ends.
    pub ends_at: Instant,
}

impl Tally {
    /// Of a key that never got any.
    pub(super) fn none() -> Self {
        Self { window_id: i64::MIN, units: 0, ends_at: Instant::now() }
    }

    /// Counts units of a lease that was asked for at `sent`.
    pub(super) fn add(&mut self, lease: &Lease, sent: Instant) {
        if self.window_id != lease.window_id {
            *self = Self { window_id: lease.window_id, units: 0, ends_at: sent + lease.end_in };
        }
        self.units = self.units.saturating_add(lease.units);
    }

    pub(super) fn subtract(&mut self, window_id: i64, units: u64) {
        if self.window_id == window_id {
            self.units = self.units.saturating_sub(units);
        }
    }

    /// Units of the window that begins at `start`.
    pub(super) fn of(&self, start: Timestamp) -> u64 {
        if self.window_id == start.as_millis() { self.units } else { 0 }
    }

    /// Whether nothing would be lost without it.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.units == 0 || self.ends_at <= now
    }
}

/// The gateway's part of a quota of `limit` among `live` gateways, less what it `spent` of the owner's units already.
pub(super) fn allowance(limit: u64, live: u32, spent: u64) -> u64 {
    (limit / u64::from(live.max(1))).saturating_sub(spent)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::throttling::{Shape, TimeUnit};

    use super::*;
    use crate::table::Measure;

    fn quota(shape: Shape) -> RequestQuota {
        RequestQuota { requests: 10, shape, on_tm_loss: None, measure: Measure::Calls, stops: true }
    }

    fn of(quota: RequestQuota, secs: i64, before: Option<&Share>) -> Share {
        Share::of(quota, Timestamp::from_secs(secs), Instant::now(), before, &Tally::none())
    }

    fn lease(window_id: i64, units: u64) -> Lease {
        let (start_in, end_in) = (Duration::ZERO, Duration::from_secs(60));
        Lease { window_id, epoch: 1, units, start_in, end_in, rest: 0 }
    }

    #[test]
    fn a_share_is_divided_by_gateways_and_less_by_what_was_spent() {
        assert_eq!([allowance(10, 2, 0), allowance(10, 2, 3), allowance(10, 2, 6), allowance(10, 3, 0)], [5, 2, 0, 3]);
        assert_eq!(allowance(1, 2, 0), 0);
    }

    #[test]
    fn a_share_is_kept_within_its_window_whatever_the_quota_becomes() {
        let (quota, wall) = (quota(Shape::aligned(1, TimeUnit::Min)), Timestamp::from_secs(60));
        let share = of(quota, 60, None);
        assert!(share.try_take(2) && share.try_take(2) && !share.try_take(2));
        share.put_back();
        let raised = RequestQuota { requests: 20, ..quota };
        assert!(!share.is_current(raised, wall) && !share.is_current(quota, Timestamp::from_secs(120)));
        assert_eq!(of(raised, 119, Some(&share)).taken(), 1);
        assert_eq!(of(quota, 120, Some(&share)).taken(), 0);
    }

    #[test]
    fn a_share_of_the_first_request_opens_with_it_and_is_kept_whatever_the_quota_becomes() {
        let quota = quota(Shape::of_first_request(1, TimeUnit::Min));
        let share = of(quota, 90, None);
        assert!(share.try_take(5));
        assert!(
            share.is_current(quota, Timestamp::from_secs(149)) && !share.is_current(quota, Timestamp::from_secs(150))
        );
        let raised = of(RequestQuota { requests: 20, ..quota }, 149, Some(&share));
        assert_eq!((raised.window, raised.taken()), (share.window, 1));
        let next = of(quota, 170, Some(&share));
        assert_eq!((next.window.start, next.taken()), (Timestamp::from_secs(170), 0));
    }

    #[test]
    fn a_share_goes_on_with_the_window_that_the_owner_opened() {
        let quota = quota(Shape::of_first_request(1, TimeUnit::Min));
        let mut tally = Tally::none();
        tally.add(&lease(80_000, 3), Instant::now());
        let at = |secs| Share::of(quota, Timestamp::from_secs(secs), Instant::now(), None, &tally).window.start;
        assert_eq!([at(139), at(140)], [Timestamp::from_secs(80), Timestamp::from_secs(140)]);
    }

    #[test]
    fn a_tally_is_of_one_window() {
        let now = Instant::now();
        let mut tally = Tally::none();
        assert!(tally.is_over(now));
        tally.add(&lease(60_000, 5), now);
        tally.subtract(60_000, 2);
        tally.subtract(0, 2);
        assert_eq!((tally.of(Timestamp::from_secs(60)), tally.of(Timestamp::from_secs(120))), (3, 0));
        assert!(!tally.is_over(now) && tally.is_over(now + Duration::from_secs(60)));
        tally.add(&lease(120_000, 1), now);
        assert_eq!((tally.of(Timestamp::from_secs(60)), tally.of(Timestamp::from_secs(120))), (0, 1));
    }
}
