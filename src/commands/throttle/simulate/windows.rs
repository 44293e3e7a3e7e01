//! The window of a key that a call is counted in. Lines stand in the order in which calls ended, not in the one in which they
//! came, so the window before is remembered, and one that opens with a call may have been opened by a line that comes later.

use domain::Timestamp;
use domain::throttling::{Limit, Quota, Shape, Window};

use super::trace::Call;

#[derive(Debug, Clone)]
pub(super) struct Windows {
    current: Count,
    before: Option<Count>,
}

/// What is counted in one window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub window: Window,
    used: u64,
    /// When the last of its calls came.
    last: Timestamp,
}

impl Windows {
    /// Those of a key whose first call in the log came at `first`.
    pub(super) fn new(shape: Shape, first: Timestamp) -> Self {
        Self { current: Count::new(shape.window(first)), before: None }
    }

    /// What is counted in the window of a call at `at`; `None` when that is forgotten.
    pub(super) fn of(&mut self, shape: Shape, at: Timestamp) -> Option<&mut Count> {
        if at >= self.current.window.end {
            self.before = Some(std::mem::replace(&mut self.current, Count::new(shape.window(at))));
        } else if at < self.current.window.start {
            if let Some(before) = self.before.as_mut().filter(|before| at < before.window.end) {
                return before.window.contains(at).then(|| before.counting(at));
            }
            // Nothing is known to have been open then.
            let window = shape.window(at);
            if !shape.opens_with_a_call() || window.end <= self.current.last {
                return None;
            }
            self.current.window = window;
        }
        Some(self.current.counting(at))
    }
}

impl Count {
    fn new(window: Window) -> Self {
        Self { window, used: 0, last: window.start }
    }

    fn counting(&mut self, at: Timestamp) -> &mut Self {
        self.last = self.last.max(at);
        self
    }

    /// A call passes while something is left; its size is charged afterwards, as far as the window has it.
    pub(super) fn take(&mut self, limit: &Limit, call: &Call) -> bool {
        let (units, cost) = match limit.quota {
            Quota::RequestCount { requests } => (requests, 1),
            Quota::Bandwidth { bytes } => (bytes, call.request_bytes.unwrap_or(0).max(1)),
            Quota::EventCount { .. } => return true,
        };
        if self.used >= units {
            return false;
        }
        self.used = self.used.saturating_add(cost).min(units);
        true
    }
}
