//! Follows one log of the database into the local copy and wakes those who wait for entries.

use std::sync::Arc;
use std::time::Duration;

use domain::event::{LogEntry, LogName, Position};
use node_store::NodeStoreError;
use node_store::broker_log::LogExtent;
use store::{StoreError, outbox};
use telemetry::error_chain::ErrorChain;
use tokio_util::sync::CancellationToken;

use crate::hub::Inner;
use crate::relay::{Decision, Known, decide};

/// Entries read in one transaction.
const PAGE: usize = 1_000;

/// Longest pause after errors.
const PAUSE_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
enum TailError {
    #[error("the outbox cannot be read")]
    Store(#[from] StoreError),
    #[error("the local copy cannot be written")]
    Copy(#[from] NodeStoreError),
    #[error("the blocking task was stopped")]
    Stopped(#[from] tokio::task::JoinError),
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    /// There may be more to read at once.
    More,
    UpToDate,
}

pub(crate) async fn run(hub: Arc<Inner>, log: LogName, shutdown: CancellationToken) {
    let mut commits = hub.apim.subscribe_commits();
    let mut failures: u32 = 0;
    loop {
        // Marked as seen before reading: a commit during the read causes another one.
        commits.borrow_and_update();
        let outcome = step(&hub, log).await;
        failures = if outcome.is_ok() { 0 } else { failures.saturating_add(1) };
        let pause = match outcome {
            Ok(Progress::More) => Duration::ZERO,
            Ok(Progress::UpToDate) => hub.config.poll_interval.get(),
            Err(error) => {
                hub.metrics.relay_errors.inc();
                tracing::warn!(log = log.as_str(), error = %ErrorChain(&error), "event log cannot be relayed");
                hub.config.poll_interval.get().saturating_mul(failures).min(PAUSE_MAX)
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            // The sender lives as long as the database handle that `hub` holds, so this never ends with an error.
            _changed = commits.changed() => {}
            () = hub.nudge(log).notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn step(hub: &Arc<Inner>, log: LogName) -> Result<Progress, TailError> {
    let known = hub.view(log).borrow().clone();
    let keep = hub.config.log_entries_max;
    let reading = known.clone();
    let (head, entries) = hub
        .apim
        .read(move |conn| {
            let head = outbox::head(conn, log)?;
            let entries = outbox::read_after(conn, log, reading.read_from(&head, keep), PAGE)?;
            Ok::<_, StoreError>((head, entries))
        })
        .await?;
    let head_number = head.number;
    let known = match decide(&known, &head, entries) {
        Decision::Append(entries) if entries.is_empty() => known,
        Decision::Append(entries) => copy(hub, log, known.extent, entries).await?,
        Decision::Reset { base, entries } => {
            let extent = LogExtent { log_id: head.log_id, base, head: base };
            tracing::info!(log = log.as_str(), log.id = extent.log_id, base, "local copy of the event log starts anew");
            reset(hub, log, extent.clone()).await?;
            copy(hub, log, extent, entries).await?
        }
        Decision::Restored => {
            renew(hub, log, head).await?;
            return Ok(Progress::More);
        }
    };
    hub.metrics.head(log, known.extent.head);
    let progress = if known.extent.head < head_number { Progress::More } else { Progress::UpToDate };
    hub.view(log).send_if_modified(|view| {
        let is_new = *view != known;
        *view = known;
        is_new
    });
    Ok(progress)
}

async fn copy(
    hub: &Arc<Inner>,
    log: LogName,
    mut extent: LogExtent,
    entries: Vec<LogEntry>,
) -> Result<Known, TailError> {
    let Some(newest) = entries.last() else { return Ok(Known { extent, newest: None }) };
    let (head, event_id) = (newest.number, newest.event_id);
    let (broker, keep, log_id) = (hub.broker.clone(), hub.config.log_entries_max, extent.log_id.clone());
    tokio::task::spawn_blocking(move || broker.append(log, &log_id, &entries, keep)).await??;
    extent.head = head;
    extent.base = extent.base.max(head.saturating_sub(keep));
    Ok(Known { extent, newest: Some(event_id) })
}

async fn reset(hub: &Arc<Inner>, log: LogName, extent: LogExtent) -> Result<(), TailError> {
    let broker = hub.broker.clone();
    Ok(tokio::task::spawn_blocking(move || broker.reset(log, &extent.log_id, extent.base)).await??)
}

/// The database lost entries that this hub has served already.
pub(crate) async fn renew(hub: &Arc<Inner>, log: LogName, head: Position) -> Result<(), StoreError> {
    tracing::error!(
        log = log.as_str(),
        event.number = head.number,
        "the database was restored to an earlier state: all gateways take a snapshot"
    );
    hub.apim.write(move |conn| outbox::upkeep::renew_log_id(conn, log, &head.log_id)).await
}
