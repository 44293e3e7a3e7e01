//! A look at what is counted, which changes nothing.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::throttling::{Shape, Slot};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why nothing can be said about a key.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error("no traffic manager can be asked")]
    Unavailable(#[source] Source),
    #[error("the traffic manager cannot read its database")]
    Unable(#[source] Source),
    /// One was asked that does not own the key's slot; the owner's node id.
    #[error("the traffic manager '{0}' owns the key")]
    NotOwner(String),
    /// An owner has died or is handing over.
    #[error("no traffic manager owns the key's slot for certain at the moment")]
    Unsettled,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyQuestion {
    /// See [`crate::throttling::key::KeyName`].
    pub key: String,
    /// What the windows of its quota are like. Without it the owner can only tell of a key that it is counting.
    #[serde(default)]
    pub window: Option<Shape>,
}

/// A key as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    pub key: String,
    pub slot: Slot,
    /// Node id of the traffic manager that owns the slot.
    pub owner: String,
    /// Epoch of its ownership.
    pub epoch: u64,
    pub count: Count,
}

/// What is counted under a key at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// The owner counts nothing under the key and was not told what its windows are like.
    Unknown,
    /// Its windows open with calls, and none is open: nothing is used, and the next call opens one.
    NoneOpen,
    Open(WindowState),
}

impl Count {
    #[must_use]
    pub fn window(&self) -> Option<&WindowState> {
        match self {
            Self::Open(window) => Some(window),
            Self::Unknown | Self::NoneOpen => None,
        }
    }

    /// See [`WindowState::used`]; this and the following are `None` when nothing is known.
    #[must_use]
    pub fn used(&self) -> Option<u64> {
        self.tell(0, WindowState::used)
    }

    /// See [`WindowState::lent`].
    #[must_use]
    pub fn lent(&self) -> Option<u64> {
        self.tell(0, |window| window.lent)
    }

    /// See [`WindowState::remaining`].
    #[must_use]
    pub fn remaining(&self, limit: u64) -> Option<u64> {
        self.tell(limit, |window| window.remaining(limit))
    }

    /// See [`WindowState::is_exact`].
    #[must_use]
    pub fn is_exact(&self) -> Option<bool> {
        self.tell(true, |window| window.is_exact)
    }

    /// Whether a window is open; one of the calendar always is.
    #[must_use]
    pub fn is_open(&self) -> Option<bool> {
        self.tell(false, |_| true)
    }

    fn tell<T>(&self, of_none: T, of_window: impl FnOnce(&WindowState) -> T) -> Option<T> {
        match self {
            Self::Unknown => None,
            Self::NoneOpen => Some(of_none),
            Self::Open(window) => Some(of_window(window)),
        }
    }
}

/// The current window of a key. Every unit of its limit is `used`, `lent` or remains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowState {
    pub shape: Shape,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Time until `end` by the owner's clock, which is the one that counts.
    pub ends_in: Duration,
    /// Units that are written down in the ledger: whatever happens, no more than these can have passed.
    pub reserved: u64,
    /// Those of them that the owner has not granted.
    pub free: u64,
    /// Those that were granted and that gateways say they have not spent.
    pub lent: u64,
    /// Whether `lent` is the word of every gateway that may hold units, and nothing changed while they were asked; else units
    /// that are lent may stand among the used ones.
    pub is_exact: bool,
}

impl WindowState {
    /// Units that calls have spent, or that were lost with a node and count as spent.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.reserved.saturating_sub(self.free).saturating_sub(self.lent)
    }

    /// Seconds until its end, rounded up: who comes back then is not early.
    #[must_use]
    pub fn ends_in_secs(&self) -> u64 {
        u64::try_from(self.ends_in.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// Units that can still be granted under a quota of `limit`.
    #[must_use]
    pub fn remaining(&self, limit: u64) -> u64 {
        limit.saturating_sub(self.reserved.saturating_sub(self.free))
    }
}

/// Who can look at throttle keys.
#[async_trait]
pub trait ThrottleInspector: Send + Sync {
    async fn look(&self, question: &KeyQuestion) -> Result<KeyState, InspectError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttling::TimeUnit;

    #[test]
    fn a_limit_is_used_lent_and_remaining_units() {
        let mut window = WindowState {
            shape: Shape::aligned(1, TimeUnit::Min),
            start: Timestamp::from_millis(0),
            end: Timestamp::from_millis(60_000),
            ends_in: Duration::from_secs(30),
            reserved: 50,
            free: 20,
            lent: 4,
            is_exact: true,
        };
        assert_eq!((window.used(), window.lent, window.remaining(100)), (26, 4, 70));
        // The limit was lowered below what had passed.
        assert_eq!((window.used(), window.remaining(10)), (26, 0));
        // A gateway that counts too many.
        window.lent = 99;
        assert_eq!(window.used(), 0);
        let told = |count: Count| (count.used(), count.lent(), count.remaining(100), count.is_open());
        assert_eq!(told(Count::Open(window)), (Some(0), Some(99), Some(70), Some(true)));
        assert_eq!(told(Count::NoneOpen), (Some(0), Some(0), Some(100), Some(false)));
        assert_eq!(told(Count::Unknown), (None, None, None, None));
    }
}
