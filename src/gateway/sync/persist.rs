//! The blocking half: disk first, then the tables. Everything here runs on a blocking thread.

use std::collections::{BTreeSet, HashMap};

use domain::event::{Event, LogEntry, LogName, Position};
use domain::runtime::{DeployedRevision, Snapshot};
use domain::{ApiId, Organization, Timestamp};
use node_store::last_good::{Batch, LastGoodState, Parts, PendingAck};
use node_store::{LastGood, NodeStoreError};

use super::artifacts::Documents;
use super::is_expired;
use crate::table::{DeployOutcome, EarlierRevocations, Tables};

/// What became of a deployment or a removal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) pending: PendingAck,
    /// `None` when the API was removed.
    pub(super) deployed: Option<DeployOutcome>,
}

impl Outcome {
    pub(super) fn error(&self) -> Option<&str> {
        self.deployed.as_ref()?.result.as_ref().err().map(String::as_str)
    }
}

/// What the disk gave at start-up.
#[derive(Debug, Default)]
pub(super) struct Restored {
    pub(super) control: Position,
    pub(super) revocation: Position,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) is_loaded: bool,
}

/// Fills the tables with the last good state. A wanted revision that cannot be loaded is replaced by the one that was
/// served before.
pub(super) fn restore(last_good: &LastGood, tables: &Tables, now: Timestamp) -> Restored {
    let state = match last_good.load() {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(%error, "the last good state cannot be read, the gateway starts with a snapshot");
            return Restored::default();
        }
    };
    if state.damaged > 0 {
        tracing::error!(damaged = state.damaged, "the last good state is damaged, a snapshot will mend it");
    }
    if state.snapshot == Snapshot::default() {
        return Restored::default();
    }
    let (mut control, mut revocation) = (state.snapshot.control.clone(), state.snapshot.revocation.clone());
    for log in &state.outdated {
        tracing::info!(log = log.as_str(), "the last good state is an older release's, a snapshot will complete it");
        match log {
            LogName::Control => control = Position::default(),
            LogName::Revocation => revocation = Position::default(),
        }
    }
    let (served, apis, artifacts) = (state.served.clone(), state.snapshot.apis.clone(), state.artifacts.clone());
    let outcomes = fill(state, tables, &HashMap::new(), EarlierRevocations::Drop, now);
    for failed in outcomes.iter().filter(|outcome| outcome.error().is_some()) {
        let PendingAck { api_id, environment, organization, .. } = &failed.pending;
        let of_api = |deployment: &&DeployedRevision| deployment.api_id == *api_id;
        let Some(earlier) = served.iter().filter(of_api).find(|earlier| earlier.environment == *environment) else {
            continue;
        };
        let Some(metadata) = apis.iter().find(|api| api.api_id == *api_id) else { continue };
        let (organization, metadata, deployment) = (organization.clone(), metadata.clone(), earlier.clone());
        let artifact = artifacts.get(&deployment.artifact_hash).cloned();
        // The outcome that counts is the wanted revision's; if this one fails too, the API is not served.
        let _earlier = tables.apply(&Event::ApiDeployed { organization, deployment, metadata }, artifact);
    }
    tracing::info!(event.number = control.number, deployments = outcomes.len(), "gateway serves its last good state");
    Restored { control, revocation, outcomes, is_loaded: true }
}

/// What of a snapshot is installed, and what of the tables outlives it.
pub(super) struct Installation {
    pub(super) parts: Parts,
    /// Kinds that are replaced although the position stays.
    pub(super) kinds: BTreeSet<String>,
    pub(super) earlier: EarlierRevocations,
    /// Why documents cannot be had.
    pub(super) failures: HashMap<String, String>,
}

/// Replaces what is stored and served by a snapshot whose artifacts are on disk already.
pub(super) fn install(
    last_good: &LastGood,
    tables: &Tables,
    snapshot: &Snapshot,
    installation: &Installation,
    now: Timestamp,
) -> Result<Vec<Outcome>, NodeStoreError> {
    let Installation { parts, kinds, earlier, failures } = installation;
    last_good.install_with(snapshot, *parts, kinds)?;
    Ok(fill(last_good.load()?, tables, failures, *earlier, now))
}

fn fill(
    mut state: LastGoodState,
    tables: &Tables,
    failures: &HashMap<String, String>,
    earlier: EarlierRevocations,
    now: Timestamp,
) -> Vec<Outcome> {
    state.snapshot.revocations.retain(|entry| !is_expired(entry.expires_at, now));
    let number = state.snapshot.control.number;
    let organizations: HashMap<ApiId, &Organization> =
        state.snapshot.apis.iter().map(|api| (api.api_id, &api.organization)).collect();
    let mut pending: HashMap<(ApiId, String), PendingAck> =
        state.pending.drain(..).map(|ack| ((ack.api_id, ack.environment.clone()), ack)).collect();
    let mut outcomes = Vec::new();
    for mut outcome in tables.load(&state.snapshot, &state.artifacts, earlier) {
        let (api_id, environment) = (outcome.deployment.api_id, outcome.deployment.environment.clone());
        let noted = pending.remove(&(api_id, environment.clone()));
        let Some(organization) = organizations.get(&api_id) else { continue };
        let number = noted.map_or(number, |ack| ack.number.max(number));
        explain(&mut outcome, failures);
        let pending = PendingAck { organization: (*organization).clone(), api_id, environment, number };
        outcomes.push(Outcome { pending, deployed: Some(outcome) });
    }
    // What is pending and not deployed was removed.
    outcomes.extend(pending.into_values().map(|pending| Outcome { pending, deployed: None }));
    outcomes
}

/// Consecutive entries of one log with the documents that they refer to.
pub(super) struct Job {
    pub(super) log: LogName,
    pub(super) log_id: String,
    pub(super) entries: Vec<LogEntry>,
    pub(super) documents: Documents,
    pub(super) environments: Vec<String>,
    pub(super) now: Timestamp,
}

/// Persists the entries with their position, then takes them into the tables.
pub(super) fn apply(last_good: &LastGood, tables: &Tables, job: &Job) -> Result<Vec<Outcome>, NodeStoreError> {
    let Some(last) = job.entries.last() else { return Ok(Vec::new()) };
    let position = Position { log_id: job.log_id.clone(), number: last.number };
    let concerned = || job.entries.iter().filter(|entry| concerns(&entry.event, &job.environments, job.now));
    let pending: Vec<_> = concerned().flat_map(|entry| pending_of(entry, &job.environments)).collect();
    let events: Vec<&Event> = concerned().map(|entry| &entry.event).collect();
    let artifacts = job.documents.artifacts();
    let batch = Batch { log: job.log, position: &position, events: &events, artifacts: &artifacts, pending: &pending };
    if let Err(error) = last_good.apply(&batch) {
        if job.log == LogName::Revocation {
            // A full disk must not keep a revoked token alive. The entries are applied again once they can be stored.
            events.iter().for_each(|event| drop(tables.apply(event, None)));
        }
        return Err(error);
    }
    Ok(concerned().flat_map(|entry| take_in(tables, entry, job)).collect())
}

fn take_in(tables: &Tables, entry: &LogEntry, job: &Job) -> Vec<Outcome> {
    let artifact = match &entry.event {
        Event::ApiDeployed { deployment, .. } => job.documents.api(&deployment.artifact_hash),
        _ => None,
    };
    let mut deployed = tables.apply(&entry.event, artifact);
    if let Some(outcome) = &mut deployed {
        explain(outcome, &job.documents.failures);
    }
    let outcome = |pending| Outcome { pending, deployed: deployed.clone() };
    pending_of(entry, &job.environments).into_iter().map(outcome).collect()
}

/// Why the document is missing says more than that it is missing.
fn explain(outcome: &mut DeployOutcome, failures: &HashMap<String, String>) {
    if let (Err(error), Some(cause)) = (&mut outcome.result, failures.get(&outcome.deployment.artifact_hash)) {
        error.clone_from(cause);
    }
}

/// Whether this gateway takes the event in. Others only move its position.
pub(super) fn concerns(event: &Event, environments: &[String], now: Timestamp) -> bool {
    match event {
        Event::ApiDeployed { deployment, .. } => environments.contains(&deployment.environment),
        Event::ApiUndeployed { environment, .. } => environments.contains(environment),
        Event::Revoked(entry) => !is_expired(entry.expires_at, now),
        Event::Unknown(_) => false,
        _ => true,
    }
}

/// What must be acknowledged of an event that concerns this gateway.
fn pending_of(entry: &LogEntry, environments: &[String]) -> Vec<PendingAck> {
    let number = entry.number;
    let organization = entry.event.organization();
    let pending = |api_id, environment: &String| PendingAck {
        organization: organization.clone(),
        api_id,
        environment: environment.clone(),
        number,
    };
    match &entry.event {
        Event::ApiDeployed { deployment, .. } => vec![pending(deployment.api_id, &deployment.environment)],
        Event::ApiUndeployed { api_id, environment, .. } => vec![pending(*api_id, environment)],
        Event::ApiDeleted { api_id, .. } => environments.iter().map(|name| pending(*api_id, name)).collect(),
        _ => Vec::new(),
    }
}
