//! Keeps the tables that the hub owns from growing: old entries of the outbox and gateways that are gone.

use std::sync::Arc;

use domain::Timestamp;
use domain::event::LogName;
use store::apim::gateways;
use store::{StoreError, outbox};
use telemetry::error_chain::ErrorChain;
use tokio_util::sync::CancellationToken;

use crate::hub::Inner;

/// Entries removed in one transaction, so that writers wait for some milliseconds at most.
const TRIM_PER_TRANSACTION: u32 = 1_000;

pub(crate) async fn run(hub: Arc<Inner>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(hub.config.upkeep_interval.get()) => {}
        }
        if let Err(error) = once(&hub).await {
            tracing::warn!(error = %ErrorChain(&error), "event hub upkeep failed, it is tried again later");
        }
    }
}

pub(crate) async fn once(hub: &Arc<Inner>) -> Result<(), StoreError> {
    let keep = hub.config.log_entries_max;
    for log in LogName::ALL {
        let trim = move |conn: &mut store::ApimConn| outbox::upkeep::trim(conn, log, keep, TRIM_PER_TRANSACTION);
        while hub.apim.write(trim).await? > 0 {}
    }
    let age = i64::try_from(hub.config.gateway_forget_after.as_millis()).unwrap_or(i64::MAX);
    let before = Timestamp::from_millis(hub.clock.now().as_millis().saturating_sub(age));
    let forgotten = hub.apim.write(move |conn| gateways::forget_silent_since(conn, before)).await?;
    if forgotten > 0 {
        tracing::info!(forgotten, "gateways that were silent for long are forgotten");
    }
    Ok(())
}
