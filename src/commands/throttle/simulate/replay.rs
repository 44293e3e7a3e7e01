//! Counts the calls of a log as the owner of their keys would: exactly, window by window.

use std::collections::HashMap;
use std::time::Duration;

use domain::throttling::{Limit, Shape};
use domain::{Timestamp, Zone};

use super::draft::{Counted, Draft, Verdict};
use super::trace::Call;
use super::windows::Windows;

/// Keys that are counted; calls under further ones are left out and counted.
const KEYS_MAX: usize = 1_000_000;

pub(super) struct Replay {
    pub draft: Draft,
    /// By whose calendar windows begin.
    pub zone: Zone,
    pub keys: HashMap<String, Tally>,
    pub counts: Counts,
    keys_max: usize,
}

/// Calls by what the draft says of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    pub admitted: u64,
    pub refused: u64,
    /// Calls that the draft lets pass without counting.
    pub unlimited: u64,
    /// Calls under other policies.
    pub elsewhere: u64,
    /// Of the admitted and refused ones, those that another group of conditions might have taken.
    pub uncertain: u64,
    /// Calls that stand in the log so late that their window is forgotten.
    pub late: u64,
    /// Calls beyond the limit of keys.
    pub beyond_keys: u64,
}

/// One key over the whole log; the same size however many calls there are.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub calls: u64,
    pub admitted: u64,
    pub refused: u64,
    pub first_refusal: Option<Timestamp>,
    pub last_refusal: Option<Timestamp>,
    /// Longest time from a refused call to the end of its window.
    pub longest: Duration,
    windows: Windows,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Admitted,
    /// Calls pass again at the end of its window.
    Refused {
        until: Timestamp,
    },
    /// Its window is forgotten.
    Late,
}

/// A call that would have been refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub key: String,
    /// When calls pass again.
    pub until: Timestamp,
}

impl Replay {
    pub(super) fn new(draft: Draft, zone: Zone) -> Self {
        Self { draft, zone, keys: HashMap::new(), counts: Counts::default(), keys_max: KEYS_MAX }
    }

    /// Counts a call; says if it would have been over the quota.
    pub(super) fn take(&mut self, call: &Call) -> Option<Refused> {
        let counted = match self.draft.judge(call) {
            Verdict::Elsewhere => {
                self.counts.elsewhere += 1;
                return None;
            }
            Verdict::Unlimited => {
                self.counts.unlimited += 1;
                return None;
            }
            Verdict::Counted(counted) => counted,
        };
        let Counted { key, limit, is_uncertain } = counted;
        let shape = limit.shape(self.zone);
        if !self.keys.contains_key(&key) {
            if self.keys.len() >= self.keys_max {
                self.counts.beyond_keys += 1;
                return None;
            }
            self.keys.insert(key.clone(), Tally::new(shape, call.at));
        }
        let outcome = self.keys.get_mut(&key)?.take(shape, &limit, call);
        self.counts.uncertain += u64::from(is_uncertain && outcome != Outcome::Late);
        match outcome {
            Outcome::Late => self.counts.late += 1,
            Outcome::Admitted => self.counts.admitted += 1,
            Outcome::Refused { until } => {
                self.counts.refused += 1;
                return Some(Refused { key, until });
            }
        }
        None
    }
}

impl Tally {
    fn new(shape: Shape, first: Timestamp) -> Self {
        Self {
            calls: 0,
            admitted: 0,
            refused: 0,
            first_refusal: None,
            last_refusal: None,
            longest: Duration::ZERO,
            windows: Windows::new(shape, first),
        }
    }

    fn take(&mut self, shape: Shape, limit: &Limit, call: &Call) -> Outcome {
        let Some(count) = self.windows.of(shape, call.at) else { return Outcome::Late };
        self.calls += 1;
        if count.take(limit, call) {
            self.admitted += 1;
            return Outcome::Admitted;
        }
        let until = count.window.end;
        self.refused += 1;
        self.first_refusal = Some(self.first_refusal.map_or(call.at, |first| first.min(call.at)));
        self.last_refusal = self.last_refusal.max(Some(call.at));
        self.longest = self.longest.max(until.since(call.at));
        Outcome::Refused { until }
    }
}
