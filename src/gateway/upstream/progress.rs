//! How far a request body has come, seen by the call that waits for the answer.

use std::future::Future;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::body::BodyFailure;

/// Shared by a streamed body and the call that sends it.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    /// Milliseconds after `started` at which the last bytes were passed on; `WAITING` while the client is waited for.
    last_ms: AtomicU64,
    failure: AtomicU8,
}

const WAITING: u64 = u64::MAX;

impl Progress {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), last_ms: AtomicU64::new(0), failure: AtomicU8::new(0) }
    }

    pub(super) fn passed_on(&self) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(WAITING - 1);
        self.last_ms.store(elapsed, Ordering::Relaxed);
    }

    pub(super) fn waits_for_client(&self) {
        self.last_ms.store(WAITING, Ordering::Relaxed);
    }

    pub(super) fn fail(&self, failure: BodyFailure) {
        self.failure.store(failure as u8, Ordering::Release);
    }

    /// Why the body ended early.
    pub fn failure(&self) -> Option<BodyFailure> {
        BodyFailure::from_number(self.failure.load(Ordering::Acquire))
    }

    /// Waits for `future` until nothing was passed on for `timeout`. A client that is slow is not the back end's fault:
    /// while it is waited for, its own time-out counts.
    pub async fn within<F: Future>(&self, timeout: Duration, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        let mut deadline = Instant::now() + timeout;
        loop {
            if let Ok(output) = tokio::time::timeout_at(deadline.into(), future.as_mut()).await {
                return Some(output);
            }
            let now = Instant::now();
            deadline = match self.last_ms.load(Ordering::Relaxed) {
                WAITING => now + timeout,
                last_ms => self.started + Duration::from_millis(last_ms) + timeout,
            };
            if deadline <= now {
                return None;
            }
        }
    }
}
