//! Compares what is on disk with what the hub says that it must be, and mends what differs.
//!
//! Events alone cannot tell that a row was damaged, or that two lineages of a restored database were mixed. The hub's
//! pulse names a digest per kind at one position; when this gateway is at the same one, it must hold the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::content;
use domain::contract::event_bus::ContentDigest;
use telemetry::error_chain::ErrorChain;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::{SyncError, artifacts, snapshot};

pub(super) async fn run(core: Arc<Core>, shutdown: CancellationToken) {
    let mut told = core.audits.subscribe();
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            // The sender lives as long as the core.
            _changed = told.changed() => {}
        }
        let Some(content) = told.borrow_and_update().clone() else { continue };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            audited = audit(&core, content) => {
                if let Err(error) = audited {
                    core.metrics.errors.inc();
                    tracing::warn!(error = %ErrorChain(&error), "content cannot be compared with the hub's, it is tried again");
                }
            }
        }
    }
}

async fn audit(core: &Arc<Core>, told: ContentDigest) -> Result<(), SyncError> {
    let differing = find_differences(core, told).await?;
    if differing.is_empty() {
        return Ok(());
    }
    core.metrics.content_mismatches.inc();
    let kinds = differing.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    tracing::error!(kinds, "what this gateway holds is not what the control plane says, it is fetched anew");
    mend(core, &differing).await?;
    tracing::info!(kinds, "what differed from the control plane is mended");
    Ok(())
}

async fn find_differences(core: &Arc<Core>, told: ContentDigest) -> Result<BTreeSet<String>, SyncError> {
    let last_good = core.last_good.clone();
    let found = tokio::task::spawn_blocking(move || {
        let own = last_good.content()?;
        let Some(mut differing) = content::differences(&own.snapshot, &told).map_err(SyncError::Encode)? else {
            return Ok(BTreeSet::new());
        };
        differing.extend(own.damaged);
        for hash in own.snapshot.deployments.iter().map(|deployment| &deployment.artifact_hash) {
            let document = last_good.find_artifact(hash)?;
            if document.is_some_and(|document| artifacts::sha256_hex(document.as_bytes()) != *hash) {
                last_good.remove_artifact(hash)?;
                differing.insert(content::kind::DEPLOYMENT.to_owned());
            }
        }
        Ok(differing)
    });
    found.await?
}

/// Fetches a snapshot and installs the kinds that differ, or everything when it is newer than what is applied.
async fn mend(core: &Arc<Core>, kinds: &BTreeSet<String>) -> Result<(), SyncError> {
    let _gate = core.snapshot_gate.lock().await;
    let snapshot = timeout(core.options.answer_timeout, core.data.snapshot(&core.environments)).await??;
    core.metrics.snapshots.inc();
    let failures = snapshot::fetch_missing(core, &snapshot).await?;
    snapshot::mend(core, snapshot, failures, kinds).await
}
