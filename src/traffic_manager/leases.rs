//! The decision about one throttle key in one window. Pure: time comes in, what to do comes out.

use std::time::{Duration, Instant};

use config::sections::throttling::Throttling;
use domain::Timestamp;
use domain::contract::lease_ledger::Reservation;
use domain::throttling::{Shape, Slot, Window};

use crate::window::Timeline;

/// Most blocks that the length of a window asks for.
const BLOCKS_MAX: u64 = 1_000;

/// Smallest block of which another one is reserved ahead, and the part of it that is left by then.
const AHEAD_FROM: u64 = 64;
const AHEAD_PART: u64 = 4;

/// How quotas are cut into blocks and blocks into leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizing {
    block_units_whole: u64,
    blocks_per_window: u64,
    blocks_per_second: u64,
    lease_share: u64,
    /// Keys that are counted at present.
    keys: u64,
}

impl Sizing {
    #[must_use]
    pub fn from_config(config: &Throttling) -> Self {
        Self {
            block_units_whole: config.block_units_whole,
            blocks_per_window: config.blocks_per_window.max(1),
            blocks_per_second: config.ledger_blocks_per_second.max(1),
            lease_share: config.lease_share.max(1),
            keys: 1,
        }
    }

    /// The same while so many keys are counted.
    #[must_use]
    pub fn among(self, keys: u64) -> Self {
        Self { keys: keys.max(1), ..self }
    }

    /// Units that are reserved at a time for a quota of `limit` in a window of this shape. A crash costs what is left of
    /// a block until its window ends: a minute's quota may be a block of its own, a month's may not, so longer windows
    /// have a block per minute up to [`BLOCKS_MAX`]. Among many keys blocks are larger, so that all of them together are no
    /// more per second than is configured, as long as one for each window is not.
    #[must_use]
    pub fn block(&self, limit: u64, shape: Shape) -> u64 {
        let length_ms = shape.nominal_ms();
        let minutes = length_ms / 60_000;
        if minutes <= 1 && limit <= self.block_units_whole {
            return limit;
        }
        let affordable = (self.blocks_per_second.saturating_mul(length_ms / 1_000) / self.keys).max(1);
        (limit / minutes.min(BLOCKS_MAX).max(self.blocks_per_window).min(affordable)).max(1)
    }

    /// Most units of a lease when `rest` are left: one unit near the end.
    #[must_use]
    pub fn lease(&self, rest: u64) -> u64 {
        (rest / self.lease_share).max(1)
    }
}

/// What to do about a wish for units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The units are taken out of the bucket and belong to the asker.
    Grant(u64),
    /// Reserve this many units in the ledger, tell the bucket by [`Bucket::add`], and ask again.
    Reserve(u64),
    /// Nothing is left in this window.
    Exhausted,
}

/// One key's current window as its owner sees it. There may be a million of them, so it is kept small.
#[derive(Debug, Clone)]
pub struct Bucket {
    start: Timestamp,
    /// When the window ends.
    pub ends_at: Instant,
    /// The ownership under which units were reserved: a slot does not change hands so often that this is too small.
    epoch: u32,
    /// Units that this owner reserved in the window.
    reserved: u64,
    /// Those of them that nobody holds.
    free: u64,
    /// The largest limit at which the ledger had nothing left; earlier owners' units are gone, too.
    drained: u64,
    shape: Shape,
    /// False after windows of another length began at the same instant: what comes back may belong to those.
    takes_returns: bool,
}

impl Bucket {
    /// An empty bucket for the window of a call at `now`; `before` is the key's earlier bucket. A window that opens with a call
    /// was perhaps opened by another owner: since `open_since`, if the ledger says so ([`needs_look`]).
    #[must_use]
    pub fn open(
        timeline: &Timeline,
        now: Instant,
        shape: Shape,
        epoch: u64,
        before: Option<&Self>,
        open_since: Option<Timestamp>,
    ) -> Self {
        let (window, ends_at) = if shape.opens_with_a_call() {
            let start = start(timeline.at(now), shape, epoch, before, open_since);
            timeline.opened(start, now, shape)
        } else {
            timeline.window(now, shape)
        };
        let epoch = u32::try_from(epoch).unwrap_or(u32::MAX);
        let is_same = |other: &&Self| other.start == window.start && other.epoch == epoch;
        let takes_returns = before.filter(is_same).is_none_or(|other| other.takes_returns && other.shape == shape);
        Self { start: window.start, ends_at, epoch, reserved: 0, free: 0, drained: 0, shape, takes_returns }
    }

    /// Whether the bucket still speaks for the key.
    #[must_use]
    pub fn is_current(&self, now: Instant, shape: Shape, epoch: u64) -> bool {
        now < self.ends_at && self.shape == shape && self.epoch() == epoch
    }

    /// Whether it is of the window that begins at this instant, under this epoch.
    #[must_use]
    pub fn is_of(&self, window_id: i64, shape: Shape, epoch: u64) -> bool {
        self.window_id() == window_id && self.shape == shape && self.epoch() == epoch
    }

    /// The ownership under which units were reserved.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        u64::from(self.epoch)
    }

    /// Start of its window in milliseconds since the epoch of time.
    #[must_use]
    pub fn window_id(&self) -> i64 {
        self.start.as_millis()
    }

    /// Its window on the owner's timeline.
    #[must_use]
    pub fn window(&self) -> Window {
        self.shape.window(self.start)
    }

    /// So many units of its window of `key`, as the ledger is told of them, under a quota of `limit`.
    #[must_use]
    pub fn reservation(&self, key: &str, limit: u64, units: u64) -> Reservation {
        let window = self.window();
        Reservation {
            slot: Slot::of(key),
            key: self.shape.name_of(key, &window),
            epoch: self.epoch(),
            window_id: self.window_id(),
            window_end: window.end,
            limit,
            units,
            opens_with_a_call: self.shape.opens_with_a_call(),
        }
    }

    /// What its windows are like.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Units that are reserved and nobody holds.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.free
    }

    /// Units that were granted and did not come back: spent, or idle somewhere.
    #[must_use]
    pub fn lent(&self) -> u64 {
        self.reserved - self.free
    }

    /// Time until the window ends.
    #[must_use]
    pub fn ends_in(&self, now: Instant) -> Duration {
        self.ends_at.saturating_duration_since(now)
    }

    /// Units that can still be granted in this window under a quota of `limit`.
    #[must_use]
    pub fn rest(&self, limit: u64) -> u64 {
        let available = self.free.min(limit.saturating_sub(self.lent()));
        available.saturating_add(self.unreserved(limit))
    }

    fn unreserved(&self, limit: u64) -> u64 {
        if limit <= self.drained { 0 } else { limit.saturating_sub(self.reserved) }
    }

    /// Decides about a wish for `units` under a quota of `limit`, which may have changed since the last call.
    pub fn take(&mut self, limit: u64, units: u64, sizing: &Sizing) -> Step {
        let available = self.free.min(limit.saturating_sub(self.lent()));
        let unreserved = self.unreserved(limit);
        if available > 0 {
            let units = units.max(1).min(sizing.lease(available.saturating_add(unreserved))).min(available);
            self.free -= units;
            return Step::Grant(units);
        }
        if unreserved > 0 { Step::Reserve(sizing.block(limit, self.shape).min(unreserved)) } else { Step::Exhausted }
    }

    /// Units to reserve before they are wanted, so that who wants them then need not wait; 0 for none.
    #[must_use]
    pub fn ahead(&self, limit: u64, sizing: &Sizing) -> u64 {
        let block = sizing.block(limit, self.shape);
        let is_low = block >= AHEAD_FROM && self.free < block / AHEAD_PART;
        if is_low { block.min(self.unreserved(limit)) } else { 0 }
    }

    /// Takes in what the ledger gave for a wish for `wanted` units under `limit`.
    pub fn add(&mut self, limit: u64, wanted: u64, reserved: u64) {
        self.reserved = self.reserved.saturating_add(reserved);
        self.free = self.free.saturating_add(reserved);
        if reserved < wanted {
            self.drained = self.drained.max(limit);
        }
    }

    /// Takes back units of a lease of this window and epoch; what does not belong here is ignored. Returns the units
    /// taken back. Returning the same units twice would count them twice: callers send each return once at most.
    pub fn give_back(&mut self, now: Instant, window_id: i64, epoch: u64, units: u64) -> u64 {
        let is_ours = self.window_id() == window_id && self.epoch() == epoch;
        if !is_ours || !self.takes_returns || now >= self.ends_at {
            return 0;
        }
        let units = units.min(self.lent());
        self.free += units;
        units
    }
}

/// Whether the ledger must be asked for the window that is open before `before`'s successor can be opened: somebody else may
/// have opened one under another epoch, and this owner when it counted otherwise.
#[must_use]
pub fn needs_look(before: Option<&Bucket>, shape: Shape, epoch: u64) -> bool {
    shape.opens_with_a_call() && !before.is_some_and(|before| before.shape == shape && before.epoch() == epoch)
}

/// When the window starts that a call at `here` is in: a key's windows never overlap, whatever clocks do.
fn start(
    here: Timestamp,
    shape: Shape,
    epoch: u64,
    before: Option<&Bucket>,
    open_since: Option<Timestamp>,
) -> Timestamp {
    if let Some(before) = before.filter(|_| !needs_look(before, shape, epoch)) {
        return here.max(before.window().end);
    }
    open_since.filter(|start| here < shape.window(*start).end).unwrap_or(here)
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use domain::throttling::TimeUnit;

    use super::*;

    fn sizing() -> Sizing {
        Sizing::from_config(&Throttling::default())
    }

    fn bucket() -> (Bucket, Instant) {
        let now = Instant::now();
        let timeline = Timeline::new(Timestamp::from_millis(0), now);
        (Bucket::open(&timeline, now, Shape::aligned(1, TimeUnit::Min), 1, None, None), now)
    }

    /// Takes with an inexhaustible ledger.
    fn grant(bucket: &mut Bucket, limit: u64, units: u64) -> u64 {
        loop {
            match bucket.take(limit, units, &sizing()) {
                Step::Grant(units) => return units,
                Step::Reserve(wanted) => bucket.add(limit, wanted, wanted),
                Step::Exhausted => return 0,
            }
        }
    }

    #[test]
    fn small_quotas_are_reserved_whole_and_large_ones_in_blocks() {
        assert_eq!(bucket().0.take(1_000, 1, &sizing()), Step::Reserve(1_000));
        assert_eq!(bucket().0.take(100_000, 1, &sizing()), Step::Reserve(5_000));
        assert_eq!(bucket().0.take(0, 1, &sizing()), Step::Exhausted);
    }

    #[test]
    fn a_crash_in_a_long_window_costs_little_of_its_quota() {
        let sizing = sizing();
        assert_eq!(sizing.block(1_000, Shape::aligned(1, TimeUnit::Min)), 1_000);
        assert_eq!(sizing.block(1_000, Shape::aligned(1, TimeUnit::Hour)), 16);
        assert_eq!(sizing.block(1_000, Shape::aligned(1, TimeUnit::Month)), 1);
        assert_eq!(sizing.block(10_000_000, Shape::aligned(1, TimeUnit::Month)), 10_000);
    }

    #[test]
    fn among_many_keys_blocks_are_larger() {
        let sizing = Sizing::from_config(&Throttling { ledger_blocks_per_second: 1_000, ..Throttling::default() });
        let blocks = |keys| 100_000 / sizing.among(keys).block(100_000, Shape::aligned(1, TimeUnit::Min));
        assert_eq!([1, 3_000, 6_000, 60_000, 1_000_000].map(blocks), [20, 20, 10, 1, 1]);
        assert_eq!(
            sizing.among(1_000_000).block(10_000_000, Shape::aligned(1, TimeUnit::Month)),
            10_000,
            "a month has time"
        );
    }

    #[test]
    fn a_block_is_reserved_ahead_when_the_last_one_runs_low() {
        let (mut bucket, _) = bucket();
        assert_eq!(grant(&mut bucket, 100_000, 1), 1);
        assert_eq!(bucket.ahead(100_000, &sizing()), 0);
        while bucket.free() >= 5_000 / 4 {
            grant(&mut bucket, 100_000, 1_000);
        }
        assert_eq!(bucket.ahead(100_000, &sizing()), 5_000);
        assert_eq!(bucket.ahead(6_000, &sizing()), 0, "lowered: nothing but the rest is worth a write");
        bucket.add(100_000, 5_000, 100);
        assert_eq!(bucket.ahead(100_000, &sizing()), 0, "drained");
    }

    #[test]
    fn leases_shrink_to_one_unit_near_the_limit() {
        let (mut bucket, _) = bucket();
        let mut grants = Vec::new();
        loop {
            match grant(&mut bucket, 100, 1_000) {
                0 => break,
                units => grants.push(units),
            }
        }
        assert_eq!(grants.iter().sum::<u64>(), 100);
        assert_eq!(grants[0], 12);
        assert!(grants.is_sorted_by(|a, b| a >= b) && grants.ends_with(&[1, 1, 1, 1, 1, 1]), "{grants:?}");
    }

    #[test]
    fn what_comes_back_is_granted_again() {
        let (mut bucket, now) = bucket();
        while grant(&mut bucket, 10, 1) > 0 {}
        assert_eq!(bucket.give_back(now, 0, 1, 3), 3);
        assert_eq!((0..5).map(|_| grant(&mut bucket, 10, 1)).sum::<u64>(), 3);
    }

    #[test]
    fn late_foreign_and_excessive_returns_are_ignored() {
        let (mut bucket, now) = bucket();
        assert_eq!(grant(&mut bucket, 10, 1), 1);
        assert_eq!(bucket.give_back(now, 60_000, 1, 1), 0, "another window");
        assert_eq!(bucket.give_back(now, 0, 2, 1), 0, "another epoch");
        assert_eq!(bucket.give_back(now + Duration::from_secs(60), 0, 1, 1), 0, "the window is over");
        assert_eq!(bucket.give_back(now, 0, 1, 100), 1, "more than was lent");
    }

    #[test]
    fn a_drained_ledger_is_not_asked_again_until_the_limit_grows() {
        let (mut bucket, _) = bucket();
        bucket.add(10, 10, 4);
        while let Step::Grant(_) = bucket.take(10, 1, &sizing()) {}
        assert_eq!(bucket.take(10, 1, &sizing()), Step::Exhausted);
        assert_eq!(bucket.take(12, 1, &sizing()), Step::Reserve(8));
    }

    #[test]
    fn a_lowered_limit_counts_at_once_and_loses_no_units() {
        let (mut bucket, _) = bucket();
        for _ in 0..4 {
            assert_eq!(grant(&mut bucket, 10, 1), 1);
        }
        assert_eq!(grant(&mut bucket, 4, 1), 0);
        assert_eq!(grant(&mut bucket, 5, 1), 1);
        assert_eq!((0..9).map(|_| grant(&mut bucket, 10, 1)).sum::<u64>(), 5);
    }

    #[test]
    fn returns_are_not_mixed_between_windows_of_different_length() {
        let now = Instant::now();
        let timeline = Timeline::new(Timestamp::from_millis(0), now);
        let minute = Bucket::open(&timeline, now, Shape::aligned(1, TimeUnit::Min), 1, None, None);
        let mut hour = Bucket::open(&timeline, now, Shape::aligned(1, TimeUnit::Hour), 1, Some(&minute), None);
        assert_eq!(grant(&mut hour, 10, 1), 1);
        assert_eq!(hour.give_back(now, 0, 1, 1), 0);
        assert!(!minute.is_current(now, Shape::aligned(1, TimeUnit::Hour), 1));
    }

    #[test]
    fn a_window_of_the_first_request_follows_the_one_before_with_a_call() {
        let (now, shape) = (Instant::now(), Shape::of_first_request(1, TimeUnit::Min));
        let timeline = Timeline::new(Timestamp::from_secs(90), now);
        let first = Bucket::open(&timeline, now, shape, 1, None, None);
        assert_eq!((first.window_id(), first.ends_in(now)), (90_000, Duration::from_secs(60)));
        let later = now + Duration::from_secs(75);
        assert!(!first.is_current(later, shape, 1) && !needs_look(Some(&first), shape, 1));
        assert_eq!(Bucket::open(&timeline, later, shape, 1, Some(&first), None).window_id(), 165_000);
    }

    #[test]
    fn a_window_that_another_owner_opened_goes_on_until_its_end() {
        let (now, shape) = (Instant::now(), Shape::of_first_request(1, TimeUnit::Min));
        let timeline = Timeline::new(Timestamp::from_secs(90), now);
        let own = Bucket::open(&timeline, now, shape, 1, None, None);
        assert!(needs_look(None, shape, 1) && needs_look(Some(&own), shape, 2));
        let minute = Bucket::open(&timeline, now, Shape::aligned(1, TimeUnit::Min), 1, None, None);
        assert!(needs_look(Some(&minute), shape, 1) && !needs_look(Some(&own), Shape::aligned(1, TimeUnit::Min), 2));
        let since = |secs| Bucket::open(&timeline, now, shape, 2, Some(&own), Some(Timestamp::from_secs(secs)));
        assert_eq!((since(40).window_id(), since(40).ends_in(now)), (40_000, Duration::from_secs(10)));
        assert_eq!(since(30).window_id(), 90_000, "that one is over");
        // Its owner's clock was ahead: the next window starts where this one ends.
        let ahead = since(1_000);
        assert_eq!((ahead.window_id(), ahead.ends_in(now)), (1_000_000, Duration::from_secs(60)));
        let later = now + Duration::from_secs(60);
        assert_eq!(Bucket::open(&timeline, later, shape, 2, Some(&ahead), None).window_id(), 1_060_000);
    }
}
