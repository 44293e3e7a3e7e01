//! Limits that each gateway keeps by itself: spike arrest of subscriptions and the maximum of back ends. Each of n live
//! gateways lets an n-th pass; such limits protect from bursts, quotas are counted exactly elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::throttling::{RateLimit, TimeUnit};
use domain::{ApiId, ApplicationId};

use crate::concurrent_map::ConcurrentMap;
use crate::fleet::Fleet;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalKey {
    /// Calls of one application to one API.
    Burst { application: ApplicationId, api: ApiId },
    /// Calls that reach one back end.
    BackEnd { api: ApiId, is_sandbox: bool },
}

/// All local counters.
pub struct LocalLimits {
    /// Windows of another length are counted anew.
    counters: ConcurrentMap<(LocalKey, TimeUnit), Arc<Counter>>,
    counters_max: usize,
    started: Instant,
    fleet: Fleet,
}

/// The number of a window in the upper half, what was counted in it in the lower.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

/// A right to pass. Dropped without [`LocalUnit::spend`] it goes back.
#[derive(Debug)]
pub struct LocalUnit {
    counter: Arc<Counter>,
    window: u32,
    is_spent: bool,
}

impl LocalLimits {
    #[must_use]
    pub fn new(counters_max: usize, fleet: Fleet) -> Self {
        Self { counters: ConcurrentMap::default(), counters_max, started: Instant::now(), fleet }
    }

    /// Takes a unit of the current window.
    ///
    /// # Errors
    /// When this gateway's part is used up: the time until the next window.
    pub fn take(&self, key: LocalKey, limit: RateLimit, now: Instant) -> Result<LocalUnit, Duration> {
        let (window, ends_in) = self.window(limit.time_unit, now);
        let share = (limit.count / u64::from(self.fleet.live())).clamp(1, u64::from(u32::MAX));
        let counter = self.counter((key, limit.time_unit));
        if counter.take(window, share) {
            return Ok(LocalUnit { counter, window, is_spent: false });
        }
        Err(ends_in)
    }

    /// Forgets counters of windows that are over.
    pub fn sweep(&self, now: Instant) {
        self.counters.pin().retain(|(_, unit), counter| counter.window() >= self.window(*unit, now).0);
    }

    /// Number of the window, and the time until the next one.
    fn window(&self, unit: TimeUnit, now: Instant) -> (u32, Duration) {
        let length = u128::from(unit.nominal_ms());
        let elapsed = now.saturating_duration_since(self.started).as_millis();
        let rest = u64::try_from(length - elapsed % length).unwrap_or(u64::MAX);
        (u32::try_from(elapsed / length).unwrap_or(u32::MAX), Duration::from_millis(rest))
    }

    /// Beyond the limit of remembered keys a counter lives for one call only: then its limit does not hold.
    fn counter(&self, key: (LocalKey, TimeUnit)) -> Arc<Counter> {
        let counters = self.counters.pin();
        if let Some(counter) = counters.get(&key) {
            return Arc::clone(counter);
        }
        if counters.len() >= self.counters_max {
            return Arc::default();
        }
        Arc::clone(counters.get_or_insert_with(key, Arc::default))
    }
}

impl Counter {
    fn take(&self, window: u32, share: u64) -> bool {
        let take = |word: u64| {
            let count = if upper(word) == window { word & u64::from(u32::MAX) } else { 0 };
            (count < share).then(|| u64::from(window) << 32 | (count + 1))
        };
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    fn give_back(&self, window: u32) {
        let give = |word: u64| (upper(word) == window && word & u64::from(u32::MAX) > 0).then(|| word - 1);
        // In a later window there is nothing to give back to.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, give);
    }

    fn window(&self) -> u32 {
        upper(self.0.load(Ordering::Relaxed))
    }
}

fn upper(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(u32::MAX)
}

impl LocalUnit {
    pub fn spend(mut self) {
        self.is_spent = true;
    }
}

impl Drop for LocalUnit {
    fn drop(&mut self) {
        if !self.is_spent {
            self.counter.give_back(self.window);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> LocalKey {
        LocalKey::BackEnd { api: ApiId::random(), is_sandbox: false }
    }

    #[test]
    fn a_gateway_keeps_to_its_part_and_starts_anew_with_each_window() {
        let fleet = Fleet::default();
        let (limits, key) = (LocalLimits::new(10, fleet.clone()), key());
        let limit = RateLimit { count: 4, time_unit: TimeUnit::Min };
        let start = limits.started;
        let passed = |at: Instant| (0..9).filter(|_| limits.take(key, limit, at).map(LocalUnit::spend).is_ok()).count();
        assert_eq!(passed(start), 4);
        let retry_in = limits.take(key, limit, start + Duration::from_secs(20)).unwrap_err();
        assert_eq!(retry_in, Duration::from_secs(40));
        fleet.tell(2);
        assert_eq!(passed(start + Duration::from_secs(60)), 2);
        fleet.tell(100);
        assert_eq!(passed(start + Duration::from_secs(120)), 1, "never nothing at all");
    }

    #[test]
    fn what_is_not_spent_goes_back_and_what_is_over_is_forgotten() {
        let (limits, key) = (LocalLimits::new(10, Fleet::default()), key());
        let limit = RateLimit { count: 1, time_unit: TimeUnit::Sec };
        let start = limits.started;
        drop(limits.take(key, limit, start).unwrap());
        let unit = limits.take(key, limit, start).unwrap();
        assert!(limits.take(key, limit, start).is_err());
        // A unit of a window that is over frees nothing in the next one.
        let next = start + Duration::from_secs(1);
        limits.take(key, limit, next).unwrap().spend();
        drop(unit);
        assert!(limits.take(key, limit, next).is_err());
        limits.sweep(next);
        assert_eq!(limits.counters.len(), 1);
        limits.sweep(next + Duration::from_secs(1));
        assert_eq!(limits.counters.len(), 0);
    }
}
