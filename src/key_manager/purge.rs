//! Background work: rows that have expired go, in bounded batches; a rotated key takes over.

use std::sync::Arc;
use std::time::Duration;

use store::StoreError;
use store::apim::oauth::{PURGE_BATCH_MAX, refresh_tokens, revocations, signing_keys};
use telemetry::error_chain::ErrorChain;
use tokio_util::sync::CancellationToken;

use crate::service::KeyManagerService;

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);

/// Batches of one round; what is left waits for the next.
const BATCHES_MAX: usize = 20;

pub(crate) async fn run(service: Arc<KeyManagerService>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => round(&service).await,
        }
    }
}

async fn round(service: &KeyManagerService) {
    if let Err(error) = purge(service).await {
        tracing::warn!(error = %ErrorChain(&error), "expired tokens could not be purged");
    }
    if let Err(error) = service.signing.reload().await {
        tracing::error!(error = %ErrorChain(&error), "the token-signing keys could not be reloaded");
    }
}

/// Deletes expired refresh tokens, revocations and signing keys; returns how many rows went.
pub(crate) async fn purge(service: &KeyManagerService) -> Result<usize, StoreError> {
    let now = service.now();
    let mut total = 0;
    for _ in 0..BATCHES_MAX {
        let (tokens, revoked) = service
            .apim_db
            .write(move |conn| {
                signing_keys::purge(conn, now)?;
                Ok::<_, StoreError>((refresh_tokens::purge(conn, now)?, revocations::purge(conn, now)?))
            })
            .await?;
        total += tokens + revoked;
        let batch = usize::try_from(PURGE_BATCH_MAX).unwrap_or(usize::MAX);
        if tokens < batch && revoked < batch {
            break;
        }
    }
    Ok(total)
}
