//! An exact owner of throttle keys in memory, with one endless window per key.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use domain::contract::throttle::{Holder, Holders, Lease, LeaseReply, LeaseRequest};
use domain::contract::{Throttle, ThrottleUnavailable};
use domain::throttling::Shape;

pub const RETRY_IN: Duration = Duration::from_secs(1800);

/// Its only window: an hour of the calendar.
pub const WINDOW_ID: i64 = 3_600_000;

#[derive(Default)]
pub struct FakeThrottle {
    /// Units handed out and not given back, by key.
    pub granted: Mutex<HashMap<String, u64>>,
    pub requests: AtomicU64,
    /// Of the windows that were asked for last, by key.
    pub shapes: Mutex<HashMap<String, Shape>>,
    pub is_down: AtomicBool,
    pub holders: Holders,
}

impl FakeThrottle {
    pub fn granted_for(&self, prefix: &str) -> u64 {
        let granted = self.granted.lock().unwrap();
        granted.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(_, units)| units).sum()
    }

    /// The windows that were asked for last of the one key that starts so.
    pub fn shape_of(&self, prefix: &str) -> Shape {
        let shapes = self.shapes.lock().unwrap();
        *shapes.iter().find(|(key, _)| key.starts_with(prefix)).unwrap().1
    }
}

#[async_trait]
impl Throttle for FakeThrottle {
    async fn lease(&self, request: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.shapes.lock().unwrap().insert(request.key.clone(), request.shape());
        // The answer takes a while, so that callers really wait for each other.
        tokio::task::yield_now().await;
        if self.is_down.load(Ordering::Relaxed) {
            return Err(ThrottleUnavailable::Lost(None));
        }
        let mut granted = self.granted.lock().unwrap();
        let granted = granted.entry(request.key).or_default();
        let units = request.units.min(request.limit - *granted);
        if units == 0 {
            return Ok(LeaseReply::Exhausted { window_id: WINDOW_ID, retry_in: RETRY_IN });
        }
        *granted += units;
        let (start_in, rest) = (Duration::ZERO, request.limit - *granted);
        Ok(LeaseReply::Granted(Lease { window_id: WINDOW_ID, epoch: 1, units, start_in, end_in: RETRY_IN, rest }))
    }

    async fn give_back(&self, key: &str, _: i64, _: u64, units: u64) -> Result<(), ThrottleUnavailable> {
        *self.granted.lock().unwrap().get_mut(key).unwrap() -= units;
        Ok(())
    }

    fn introduce(&self, holder: Weak<dyn Holder>) {
        self.holders.introduce(holder);
    }
}
