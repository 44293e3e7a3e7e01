//! The gateway at the other end of a connection, as a holder of leases.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::contract::throttle::Holder;
use domain::internal_api::leases::{Answer, Outcome, UNASKED};
use tokio::sync::{mpsc, oneshot};

use super::Caller;

/// Counts that may be waited for at a time on one connection.
const COUNTS_MAX: usize = 64;

pub(super) struct Gateway {
    answers: mpsc::Sender<Answer>,
    pub caller: Caller,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    last: u64,
    waiting: HashMap<u64, oneshot::Sender<u64>>,
}

impl Gateway {
    pub(super) fn new(answers: mpsc::Sender<Answer>, caller: Caller) -> Self {
        Self { answers, caller, counts: Mutex::default() }
    }

    /// The answer to [`Outcome::Count`] has come.
    pub(super) fn told(&self, count: u64, units: u64) {
        if let Some(waiter) = self.counts().waiting.remove(&count) {
            // Who asked may have lost patience.
            let _ = waiter.send(units);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a new count, unless too many are waited for.
    fn expect(&self) -> Option<(u64, oneshot::Receiver<u64>)> {
        let mut counts = self.counts();
        counts.waiting.retain(|_, waiter| !waiter.is_closed());
        if counts.waiting.len() >= COUNTS_MAX {
            return None;
        }
        counts.last += 1;
        let (count, (waiter, units)) = (counts.last, oneshot::channel());
        counts.waiting.insert(count, waiter);
        Some((count, units))
    }
}

#[async_trait]
impl Holder for Gateway {
    fn recall(&self, key: &str) {
        // Without room now, the next recall may find some.
        let _ = self.answers.try_send(Answer { id: UNASKED, outcome: Outcome::Recall { key: key.to_owned() } });
    }

    async fn held(&self, key: &str, window_id: i64) -> Option<u64> {
        if self.caller.is_self {
            // Told by the holder in this process.
            return Some(0);
        }
        if self.caller.level < 2 {
            return None;
        }
        let (count, units) = self.expect()?;
        let outcome = Outcome::Count { count, key: key.to_owned(), window_id };
        self.answers.try_send(Answer { id: UNASKED, outcome }).ok()?;
        units.await.ok()
    }
}
