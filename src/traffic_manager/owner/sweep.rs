//! Removes what is over, in memory and in the ledger, and keeps an eye on the wall clock.

use std::sync::{Arc, PoisonError};

use domain::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Owner, monotonic};
use crate::window::Resync;

pub(super) async fn run(owner: Arc<Owner>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(owner.config.sweep_interval.get().max(std::time::Duration::from_millis(100)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some(_tick) = shutdown.run_until_cancelled(ticks.tick()).await {
        sweep(&owner).await;
    }
}

pub(super) async fn sweep(owner: &Owner) {
    let now = monotonic();
    let resync = owner.timeline.lock().unwrap_or_else(PoisonError::into_inner).resync(owner.clock.now(), now);
    match resync {
        Resync::InStep => {}
        Resync::Advanced(by) => tracing::info!(by_ms = millis(by), "wall clock went forward, windows follow"),
        Resync::Behind(by) => tracing::warn!(by_ms = millis(by), "wall clock went back, windows do not"),
    }
    let left = owner.keys.sweep(now);
    owner.counters.keys.set(i64::try_from(left).unwrap_or(i64::MAX));
    let retention = owner.config.ledger_retention.as_millis();
    let before = owner.timeline().at(now).as_millis().saturating_sub(i64::try_from(retention).unwrap_or(i64::MAX));
    // What could not be forgotten is forgotten next time.
    if let Err(error) = owner.ledger.forget_ended(Timestamp::from_millis(before)).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "ended windows stay in the lease ledger");
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
