//! Starting from a snapshot: when nothing is known, when the log has a new id, or when the gateway is too far behind.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::event::{LogName, Position};
use domain::runtime::Snapshot;
use tokio::sync::MutexGuard;
use tokio::time::timeout;

use super::core::Core;
use super::{SyncError, artifacts, persist, state};

/// Documents held in memory at a time while a snapshot's are fetched.
const ARTIFACTS_PER_PORTION: usize = 64;

/// A snapshot whose artifacts are on disk.
pub(super) struct Prepared<'a> {
    snapshot: Snapshot,
    failures: HashMap<String, String>,
    _gate: MutexGuard<'a, ()>,
}

/// Fetches a snapshot and the artifacts that are missing. `None` when another task has brought the log forward from the
/// position `seen` in the meantime.
pub(super) async fn prepare<'a>(
    core: &'a Arc<Core>,
    log: LogName,
    seen: &Position,
) -> Result<Option<Prepared<'a>>, SyncError> {
    let gate = core.snapshot_gate.lock().await;
    if core.cursor(log).lock().await.applied() != seen {
        return Ok(None);
    }
    let snapshot = timeout(core.options.answer_timeout, core.data.snapshot(&core.environments)).await??;
    core.metrics.snapshots.inc();
    tracing::info!(
        log = log.as_str(),
        event.number = snapshot.control.number,
        apis = snapshot.apis.len(),
        "gateway takes a snapshot"
    );
    let failures = fetch_missing(core, &snapshot).await?;
    Ok(Some(Prepared { snapshot, failures, _gate: gate }))
}

async fn fetch_missing(core: &Core, snapshot: &Snapshot) -> Result<HashMap<String, String>, SyncError> {
    let last_good = core.last_good.clone();
    let stored = tokio::task::spawn_blocking(move || last_good.artifact_hashes()).await??;
    let wanted: HashSet<&String> = snapshot.deployments.iter().map(|wanted| &wanted.artifact_hash).collect();
    let missing: Vec<&String> = wanted.into_iter().filter(|hash| !stored.contains(*hash)).collect();
    let mut failures = HashMap::new();
    for portion in missing.chunks(ARTIFACTS_PER_PORTION) {
        let documents = artifacts::obtain(core, portion.iter().map(|hash| (*hash).clone()).collect()).await?;
        let (last_good, artifacts) = (core.last_good.clone(), documents.artifacts());
        tokio::task::spawn_blocking(move || last_good.put_artifacts(&artifacts)).await??;
        failures.extend(documents.failures);
    }
    Ok(failures)
}

/// Persists and loads those parts of the snapshot that do not go back behind what is applied.
pub(super) async fn install(core: &Arc<Core>, log: LogName, prepared: Prepared<'_>) -> Result<(), SyncError> {
    let Prepared { snapshot, failures, _gate } = prepared;
    let mut control = core.cursor(LogName::Control).lock().await;
    let mut revocation = core.cursor(LogName::Revocation).lock().await;
    let Some(parts) = state::parts(log, &control, &revocation, &snapshot) else {
        let offered = position_of(&snapshot, log).number;
        return Err(SyncError::OldSnapshot { log, offered });
    };
    let positions = (snapshot.control.clone(), snapshot.revocation.clone());
    let earlier = revocation.earlier_revocations(&snapshot.revocation);
    let (last_good, tables, now) = (core.last_good.clone(), core.tables.clone(), core.clock.now());
    let installed = tokio::task::spawn_blocking(move || {
        persist::install(&last_good, &tables, &snapshot, parts, &failures, earlier, now)
    });
    let outcomes = installed.await??;
    if parts.control {
        control.install(positions.0);
        // Only what the snapshot wants can fail now.
        core.status.send_modify(|status| status.failed.clear());
    }
    if parts.revocation {
        revocation.install(positions.1);
    }
    core.report(outcomes);
    core.report_applied(LogName::Control, &control);
    core.report_applied(LogName::Revocation, &revocation);
    core.status.send_modify(|status| status.is_loaded = true);
    Ok(())
}

fn position_of(snapshot: &Snapshot, log: LogName) -> &Position {
    match log {
        LogName::Control => &snapshot.control,
        LogName::Revocation => &snapshot.revocation,
    }
}
