//! Messages that would repeat themselves: said once, then at most once in a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets one message in an interval through, and counts the others.
#[derive(Debug)]
pub struct Seldom {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, state: Mutex::new(State { last: None, unsaid: 0 }) }
    }

    /// Whether to say it now: then how often it was not said since the last time.
    pub fn may_say(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < self.interval) {
            state.unsaid = state.unsaid.saturating_add(1);
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }

    /// What was wrong is over: the next time is news.
    pub fn is_over(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_said_once_then_once_in_a_while_and_again_when_it_is_news() {
        let seldom = Seldom::new(Duration::from_secs(10));
        let start = Instant::now();
        let after = |secs: u64| start + Duration::from_secs(secs);
        assert_eq!(seldom.may_say(start), Some(0));
        assert_eq!((seldom.may_say(after(1)), seldom.may_say(after(9))), (None, None));
        assert_eq!(seldom.may_say(after(10)), Some(2));
        seldom.is_over();
        assert_eq!(seldom.may_say(after(11)), Some(0));
    }
}
