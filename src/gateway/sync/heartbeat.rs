//! Tells the hub that this gateway lives, and forgets what has expired.

use std::sync::Arc;
use std::time::Duration;

use domain::contract::event_bus::GatewayHeartbeat;
use domain::runtime::RevocationEntry;
use telemetry::error_chain::ErrorChain;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::backoff::{Backoff, random};
use super::core::Core;

/// How often expired revocations are dropped.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

pub(super) async fn run(core: Arc<Core>, shutdown: CancellationToken) {
    let mut backoff = Backoff::new(core.options.pause_min, core.options.pause_max);
    let interval = core.options.heartbeat_interval.max(Duration::from_millis(100));
    let mut forgotten_at = Instant::now();
    loop {
        // A gateway that just came counts for deployments as soon as a hub hears of it: it does not wait a whole interval.
        let pause = match beat(&core).await {
            Ok(()) => {
                backoff.reset();
                interval
            }
            Err(error) => {
                core.metrics.errors.inc();
                tracing::debug!(error = %ErrorChain(&error), "heartbeat was not taken");
                backoff.next(random()).min(interval)
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if forgotten_at.elapsed() >= FORGET_INTERVAL {
            forgotten_at = Instant::now();
            forget_expired(&core).await;
        }
    }
}

async fn beat(core: &Core) -> Result<(), SyncError> {
    let (control, revocation) = {
        let status = core.status.borrow();
        (status.control.applied.number, status.revocation.applied.number)
    };
    let (gateway_id, environments) = (core.gateway_id.clone(), core.environments.clone());
    let heartbeat = GatewayHeartbeat { gateway_id, environments, control, revocation };
    let pulse = timeout(core.options.answer_timeout, core.bus.heartbeat(heartbeat)).await??;
    core.metrics.heartbeats.inc();
    core.report_pulse(&pulse);
    if let Some(content) = pulse.content {
        core.report_content(content);
    }
    Ok(())
}

pub(super) async fn forget_expired(core: &Core) {
    let until = RevocationEntry::forgettable(core.clock.now());
    core.tables.forget_expired(until);
    let last_good = core.last_good.clone();
    match tokio::task::spawn_blocking(move || last_good.forget_expired(until)).await {
        Ok(Ok(_count)) => {}
        // Rows that stay are ignored when they are loaded.
        Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "expired revocations cannot be removed"),
        Err(error) => tracing::warn!(%error, "expired revocations cannot be removed"),
    }
}
