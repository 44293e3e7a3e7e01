//! Leases: rights to let calls pass, handed out by the owner of a throttle key.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Zone;
use crate::throttling::{Shape, TimeUnit, WindowKind};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no answer to a [`LeaseRequest`].
#[derive(Debug, thiserror::Error)]
pub enum ThrottleUnavailable {
    /// Nobody can be asked.
    #[error("no traffic manager can be reached")]
    Lost(#[source] Option<Source>),
    /// One was asked and says that it cannot decide, because its database is away.
    #[error("the traffic manager cannot decide without its database")]
    Unable(#[source] Option<Source>),
    /// There was no answer in good time: it may still be decided, and grants may be on their way.
    #[error("the traffic manager has not decided in time")]
    Undecided(#[source] Option<Source>),
    /// One was asked that does not own the key's slot; the owner's node id, as far as it knows.
    #[error("another traffic manager owns the key")]
    NotOwner { owner: Option<String> },
}

/// A wish for units of a key's current window. An owner of a release that knows neither `window` nor `zone` counts in aligned
/// windows of UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRequest {
    /// What is counted together, e.g. `sub:<application>:<context>:<version>:<tier>`.
    pub key: String,
    /// Units that one window admits in all.
    pub limit: u64,
    /// Length of a window in `time_unit`s.
    pub unit_time: u32,
    pub time_unit: TimeUnit,
    /// When a window begins.
    #[serde(default, skip_serializing_if = "WindowKind::is_default")]
    pub window: WindowKind,
    /// By whose calendar an aligned one does.
    #[serde(default, skip_serializing_if = "Zone::is_utc")]
    pub zone: Zone,
    /// Units asked for, at least 1; the owner may grant fewer.
    pub units: u64,
}

impl LeaseRequest {
    /// A wish for units of a key that has windows of this shape, each of which admits `limit` in all.
    #[must_use]
    pub fn new(key: String, limit: u64, shape: Shape, units: u64) -> Self {
        let (unit_time, time_unit) = (shape.unit_time(), shape.time_unit());
        Self { key, limit, unit_time, time_unit, window: shape.kind(), zone: shape.zone(), units }
    }

    /// What the windows are like.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::new(self.unit_time, self.time_unit, self.window, self.zone)
    }
}

/// Units that the holder may spend between `start_in` and `end_in` after the reply came, on its own monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Start of the owner's window in milliseconds since the epoch.
    pub window_id: i64,
    /// Epoch of the key's slot; grows with each change of ownership.
    pub epoch: u64,
    pub units: u64,
    pub start_in: Duration,
    /// Time until the window ends; the holder counts it from the moment at which it sent the request.
    pub end_in: Duration,
    /// Units that the window still had after this lease, as far as the owner knows; to tell callers, not to decide by.
    #[serde(default)]
    pub rest: u64,
}

/// Answer to a [`LeaseRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseReply {
    Granted(Lease),
    /// The window is used up; the next one starts in `retry_in`.
    Exhausted {
        window_id: i64,
        retry_in: Duration,
    },
}

/// Who holds leases, and can be asked to give idle units back.
#[async_trait]
pub trait Holder: Send + Sync {
    /// Units of `key` are wanted elsewhere. Never waits.
    fn recall(&self, key: &str);

    /// Units of `key` that are unspent here, of leases for the window that began at `window_id`; `None` when that cannot be
    /// told.
    async fn held(&self, key: &str, window_id: i64) -> Option<u64>;
}

/// Every living [`Holder`] that was introduced.
#[derive(Default)]
pub struct Holders(Mutex<Vec<Weak<dyn Holder>>>);

impl Holders {
    pub fn introduce(&self, holder: Weak<dyn Holder>) {
        let mut holders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|known| known.strong_count() > 0);
        holders.push(holder);
    }

    /// Tells all of them.
    pub fn recall(&self, key: &str) {
        self.living().iter().for_each(|holder| holder.recall(key));
    }

    /// Those that live at present.
    #[must_use]
    pub fn living(&self) -> Vec<Arc<dyn Holder>> {
        let holders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        holders.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Who owns throttle keys.
#[async_trait]
pub trait Throttle: Send + Sync {
    async fn lease(&self, request: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable>;

    /// Units of a lease that were not spent; late ones (another window or epoch) are ignored.
    async fn give_back(&self, key: &str, window_id: i64, epoch: u64, units: u64) -> Result<(), ThrottleUnavailable>;

    /// Recalls go to `holder` from now on, as long as it lives.
    fn introduce(&self, holder: Weak<dyn Holder>);
}
