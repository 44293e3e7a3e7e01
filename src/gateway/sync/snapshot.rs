//! Starting from a snapshot: when nothing is known, when the log has a new id, or when the gateway is too far behind.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::content::kind;
use domain::event::{LogName, Position};
use domain::runtime::Snapshot;
use tokio::sync::MutexGuard;
use tokio::time::timeout;

use super::core::{Core, Cursors};
use super::persist::Installation;
use super::{SyncError, artifacts, persist, state};
use crate::table::EarlierRevocations;

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

pub(super) async fn fetch_missing(core: &Core, snapshot: &Snapshot) -> Result<HashMap<String, String>, SyncError> {
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
    let cursors = core.cursors().await;
    let Some(parts) = state::parts(log, &cursors.control, &cursors.revocation, &snapshot) else {
        let offered = position_of(&snapshot, log).number;
        return Err(SyncError::OldSnapshot { log, offered });
    };
    let earlier = cursors.revocation.earlier_revocations(&snapshot.revocation);
    let installation = Installation { parts, kinds: BTreeSet::new(), earlier, failures };
    persist_and_load(core, cursors, snapshot, installation).await
}

/// Replaces `kinds` by the snapshot's, although it is not newer than what is applied.
pub(super) async fn mend(
    core: &Arc<Core>,
    snapshot: Snapshot,
    failures: HashMap<String, String>,
    kinds: &BTreeSet<String>,
) -> Result<(), SyncError> {
    let cursors = core.cursors().await;
    let Some((parts, kinds)) = state::mending(&cursors.control, &cursors.revocation, &snapshot, kinds) else {
        return Err(SyncError::OldSnapshot { log: LogName::Control, offered: snapshot.control.number });
    };
    let earlier = match kinds.contains(kind::REVOCATION) {
        true => EarlierRevocations::Drop,
        false => cursors.revocation.earlier_revocations(&snapshot.revocation),
    };
    persist_and_load(core, cursors, snapshot, Installation { parts, kinds, earlier, failures }).await
}

async fn persist_and_load(
    core: &Arc<Core>,
    mut cursors: Cursors<'_>,
    snapshot: Snapshot,
    installation: Installation,
) -> Result<(), SyncError> {
    let (parts, positions) = (installation.parts, (snapshot.control.clone(), snapshot.revocation.clone()));
    let (last_good, tables, now) = (core.last_good.clone(), core.tables.clone(), core.clock.now());
    let installed =
        tokio::task::spawn_blocking(move || persist::install(&last_good, &tables, &snapshot, &installation, now));
    let outcomes = installed.await??;
    core.report_disk(None);
    if parts.control {
        cursors.control.install(positions.0);
        // Only what the snapshot wants can fail now.
        core.status.send_modify(|status| status.failed.clear());
    }
    if parts.revocation {
        cursors.revocation.install(positions.1);
    }
    core.report(outcomes, cursors.control.applied());
    core.report_applied(LogName::Control, &cursors.control);
    core.report_applied(LogName::Revocation, &cursors.revocation);
    core.status.send_modify(|status| status.is_loaded = true);
    Ok(())
}

fn position_of(snapshot: &Snapshot, log: LogName) -> &Position {
    match log {
        LogName::Control => &snapshot.control,
        LogName::Revocation => &snapshot.revocation,
    }
}
