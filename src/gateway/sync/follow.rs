//! One log's task: ask, judge, persist, apply, acknowledge.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::contract::event_bus::{Fetch, Fetched};
use domain::event::{Event, LogEntry, LogName, Position};
use node_store::NodeStoreError;
use telemetry::error_chain::ErrorChain;
use telemetry::seldom::Seldom;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::artifacts;
use super::backoff::{Backoff, random};
use super::core::Core;
use super::persist::{self, Job};
use super::snapshot;
use super::state::{Next, Taken};

/// How often it is said that the hub is still away.
const SAY_INTERVAL: Duration = Duration::from_secs(30);

pub(super) async fn run(core: Arc<Core>, log: LogName, shutdown: CancellationToken) {
    let mut backoff = Backoff::new(core.options.pause_min, core.options.pause_max);
    let trouble = Seldom::new(SAY_INTERVAL);
    loop {
        let pause = match step(&core, log, &shutdown).await {
            Ok(Step::Done) => {
                backoff.reset();
                trouble.is_over();
                Duration::ZERO
            }
            Ok(Step::Wait) => backoff.next(random()),
            Err(error) => {
                core.metrics.errors.inc();
                match &error {
                    SyncError::Disk(error) => core.report_disk(Some(error)),
                    _ => core.report_contact(log, None),
                }
                let pause = backoff.next(random());
                if let Some(unsaid) = trouble.may_say(std::time::Instant::now()) {
                    tracing::warn!(
                        log = log.as_str(), unsaid, error = %ErrorChain(&error),
                        "gateway cannot follow the event log, it goes on serving and tries again"
                    );
                }
                pause
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Done,
    /// Not an error, yet asking again at once would be in vain.
    Wait,
}

async fn step(core: &Arc<Core>, log: LogName, shutdown: &CancellationToken) -> Result<Step, SyncError> {
    let next = core.cursor(log).lock().await.next();
    let asked = match next {
        Next::Fetch(position) => position,
        Next::Snapshot => return take_snapshot(core, log, &Position::default(), shutdown).await,
    };
    let options = &core.options;
    let fetch = Fetch { log, after: asked.clone(), max: options.fetch_max, wait: options.fetch_wait };
    let asked_at = Instant::now();
    let answer = tokio::select! {
        biased;
        () = shutdown.cancelled() => return Ok(Step::Done),
        answer = timeout(options.fetch_wait + options.answer_timeout, core.bus.fetch(fetch)) => answer??,
    };
    if let Fetched::Entries { head, .. } = &answer {
        core.report_contact(log, Some(*head));
    }
    let taken = core.cursor(log).lock().await.take(&asked, answer);
    match taken {
        Taken::Apply(entries) => apply(core, log, asked.log_id, entries).await.map(|()| Step::Done),
        // A hub that does not hold the question open must not be asked in a tight loop.
        Taken::Nothing if asked_at.elapsed() < options.pause_min.min(options.fetch_wait) => Ok(Step::Wait),
        Taken::Nothing => Ok(Step::Done),
        Taken::Gap => Ok(Step::Wait),
        Taken::Snapshot => take_snapshot(core, log, &asked, shutdown).await,
    }
}

/// A snapshot takes time, and nothing is lost when it is given up.
async fn take_snapshot(
    core: &Arc<Core>,
    log: LogName,
    seen: &Position,
    shutdown: &CancellationToken,
) -> Result<Step, SyncError> {
    let prepared = tokio::select! {
        biased;
        () = shutdown.cancelled() => return Ok(Step::Done),
        prepared = snapshot::prepare(core, log, seen) => prepared?,
    };
    let Some(prepared) = prepared else { return Ok(Step::Done) };
    snapshot::install(core, log, prepared).await.map(|()| Step::Done)
}

async fn apply(core: &Arc<Core>, log: LogName, log_id: String, entries: Vec<LogEntry>) -> Result<(), SyncError> {
    // Before the lock: a slow artifact must not hold up a snapshot that the other log needs.
    let documents = artifacts::obtain(core, hashes_of(&entries, &core.environments)).await?;
    let mut cursor = core.cursor(log).lock().await;
    let entries = cursor.still_next(&log_id, entries);
    let Some(last) = entries.last().map(|entry| entry.number) else { return Ok(()) };
    let applied = entries.len();
    report_unknown(core, log, &entries);
    let now = core.clock.now();
    let job = Job { log, log_id, entries, documents, environments: core.environments.clone(), now };
    let (last_good, tables) = (core.last_good.clone(), core.tables.clone());
    let outcome = tokio::task::spawn_blocking(move || persist::apply(&last_good, &tables, &job)).await?;
    let outcomes = match outcome {
        Err(error @ NodeStoreError::OutOfOrder { .. }) => {
            // Memory and disk disagree, which only a change of the file from outside can bring about.
            cursor.install(Position::default());
            return Err(error.into());
        }
        other => other?,
    };
    core.report_disk(None);
    cursor.advance(last);
    core.metrics.applied.inc_by(u64::try_from(applied).unwrap_or(u64::MAX));
    // Only entries of the control log have outcomes: then this is its cursor.
    // The position last: who sees it also sees what is failed and unacknowledged because of it.
    core.report(outcomes, cursor.applied());
    core.report_applied(log, &cursor);
    Ok(())
}

/// Skipping is safe: the release that understands the entries takes a snapshot when it starts.
fn report_unknown(core: &Core, log: LogName, entries: &[LogEntry]) {
    for entry in entries {
        if let Event::Unknown(event) = &entry.event {
            core.metrics.skipped.inc();
            tracing::warn!(
                log = log.as_str(), event.number = entry.number, event.type = event.type_name(), event.schema = entry.schema,
                "an entry of a newer release is skipped"
            );
        }
    }
}

fn hashes_of(entries: &[LogEntry], environments: &[String]) -> HashSet<String> {
    let hash = |entry: &LogEntry| match &entry.event {
        Event::ApiDeployed { deployment, .. } if environments.contains(&deployment.environment) => {
            Some(deployment.artifact_hash.clone())
        }
        _ => None,
    };
    entries.iter().filter_map(hash).collect()
}
