//! Windows on a clock that never goes back: wall time is read once, from then on the monotonic clock counts.

use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::throttling::{Shape, Window};

/// Wall time may be ahead of the timeline by this much before the timeline follows.
const DRIFT_MAX: Duration = Duration::from_millis(100);

/// Ties one instant to wall time.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    wall: Timestamp,
    at: Instant,
}

/// Which of a timeline's [`Timeline::resync`] outcomes came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resync {
    InStep,
    /// The wall clock was set forward, the timeline followed.
    Advanced(Duration),
    /// The wall clock was set back. Windows must not start again, so the timeline waits for it instead.
    Behind(Duration),
}

impl Timeline {
    /// A timeline on which it is `wall` at `at`.
    #[must_use]
    pub fn new(wall: Timestamp, at: Instant) -> Self {
        Self { wall, at }
    }

    /// The time at `now`, to the millisecond below.
    #[must_use]
    pub fn at(&self, now: Instant) -> Timestamp {
        self.wall.plus(now.saturating_duration_since(self.at))
    }

    /// The window that contains `now`, and the instant at which it ends.
    #[must_use]
    pub fn window(&self, now: Instant, shape: Shape) -> (Window, Instant) {
        let window = shape.window(self.at(now));
        // Counted from the anchor, because `at` rounds and a window must not end late by the rest of a millisecond.
        (window, self.at + window.end.since(self.wall))
    }

    /// The window that a call at `start` opened, and the instant at which it ends: in a whole window's time at the latest, also
    /// when it was opened by a clock that is ahead of this timeline.
    #[must_use]
    pub fn opened(&self, start: Timestamp, now: Instant, shape: Shape) -> (Window, Instant) {
        let window = shape.window(start);
        let whole = shape.window(self.at(now));
        (window, (self.at + window.end.since(self.wall)).min(now + whole.end.since(whole.start)))
    }

    /// Follows a wall clock that was set forward; never goes back.
    pub fn resync(&mut self, wall: Timestamp, now: Instant) -> Resync {
        let here = self.at(now);
        let ahead = wall.since(here);
        if ahead > DRIFT_MAX {
            *self = Self::new(wall, now);
            return Resync::Advanced(ahead);
        }
        let behind = here.since(wall);
        if behind > DRIFT_MAX { Resync::Behind(behind) } else { Resync::InStep }
    }
}

#[cfg(test)]
mod tests {
    use domain::throttling::TimeUnit;

    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn a_window_ends_on_the_monotonic_clock() {
        let start = Instant::now();
        let timeline = Timeline::new(Timestamp::from_millis(10 * MINUTE + 59_000), start);
        let (window, ends_at) =
            timeline.window(start + Duration::from_micros(999_999), Shape::aligned(1, TimeUnit::Min));
        assert_eq!(window.start.as_millis(), 10 * MINUTE);
        assert_eq!(ends_at, start + Duration::from_secs(1));
        let (window, ends_at) = timeline.window(start + Duration::from_secs(1), Shape::aligned(1, TimeUnit::Min));
        assert_eq!(window.start.as_millis(), 11 * MINUTE);
        assert_eq!(ends_at, start + Duration::from_secs(61));
    }

    #[test]
    fn a_window_that_was_opened_ends_by_the_timeline_and_never_later_than_one_that_opens_now() {
        let start = Instant::now();
        let timeline = Timeline::new(Timestamp::from_millis(MINUTE), start);
        let shape = Shape::of_first_request(1, TimeUnit::Min);
        let now = start + Duration::from_secs(10);
        let opened = |ms| {
            let (window, ends_at) = timeline.opened(Timestamp::from_millis(ms), now, shape);
            (window.end.as_millis(), ends_at - now)
        };
        assert_eq!(opened(70_000), (130_000, Duration::from_secs(60)));
        assert_eq!(opened(40_000), (100_000, Duration::from_secs(30)));
        assert_eq!(opened(500_000), (560_000, Duration::from_secs(60)));
    }

    #[test]
    fn a_clock_set_back_starts_no_window_again() {
        let start = Instant::now();
        let mut timeline = Timeline::new(Timestamp::from_millis(10 * MINUTE), start);
        let behind = timeline.resync(Timestamp::from_millis(0), start + Duration::from_secs(1));
        assert_eq!(behind, Resync::Behind(Duration::from_millis(601_000)));
        assert_eq!(timeline.at(start + Duration::from_secs(2)).as_millis(), 10 * MINUTE + 2_000);
    }

    #[test]
    fn a_clock_set_forward_is_followed() {
        let start = Instant::now();
        let mut timeline = Timeline::new(Timestamp::from_millis(0), start);
        assert_eq!(timeline.resync(Timestamp::from_millis(1_050), start + Duration::from_secs(1)), Resync::InStep);
        let ahead = timeline.resync(Timestamp::from_millis(90_000), start + Duration::from_secs(1));
        assert_eq!(ahead, Resync::Advanced(Duration::from_secs(89)));
        assert_eq!(timeline.at(start + Duration::from_secs(2)).as_millis(), 91_000);
    }
}
