//! Acknowledgements on their way to the hub: sent until they are taken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::contract::event_bus::DeploymentAck;
use domain::event::Position;
use domain::runtime::DeployedRevision;
use domain::{ApiId, Timestamp};
use node_store::last_good::PendingAck;
use telemetry::error_chain::ErrorChain;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::backoff::{Backoff, random};
use super::core::Core;
use super::persist::Outcome;

/// Acknowledgements in one call.
const PER_CALL_MAX: usize = 200;

/// The newest outcome of each API and environment; so the queue is bounded by their number, and an older outcome can
/// never overtake a newer one.
#[derive(Default)]
pub(super) struct Acks {
    waiting: Mutex<BTreeMap<(ApiId, String), Waiting>>,
    wake: Notify,
}

/// When, and at which position of the control log.
pub(super) struct Moment {
    pub at: Timestamp,
    pub position: Position,
}

#[derive(Clone)]
struct Waiting {
    ack: DeploymentAck,
    pending: PendingAck,
    served: Option<DeployedRevision>,
}

impl Acks {
    /// `moment` is when and at which position of the control log the outcomes are true.
    pub(super) fn push(&self, outcomes: Vec<Outcome>, gateway_id: &str, moment: &Moment) {
        let mut waiting = self.lock();
        for outcome in outcomes {
            let key = (outcome.pending.api_id, outcome.pending.environment.clone());
            waiting.insert(key, Waiting::new(outcome, gateway_id, moment));
        }
        if !waiting.is_empty() {
            self.wake.notify_one();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn first(&self, max: usize) -> Vec<Waiting> {
        self.lock().values().take(max).cloned().collect()
    }

    /// Removes what was sent unless something newer has taken its place.
    fn remove(&self, sent: &[Waiting]) {
        let mut waiting = self.lock();
        for sent in sent {
            let key = (sent.pending.api_id, sent.pending.environment.clone());
            if waiting.get(&key).is_some_and(|now| now.ack == sent.ack) {
                waiting.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(ApiId, String), Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn new(outcome: Outcome, gateway_id: &str, moment: &Moment) -> Self {
        let error = outcome.error().map(ToOwned::to_owned);
        let wanted = outcome.deployed.map(|deployed| deployed.deployment);
        let served = if error.is_none() { wanted.clone() } else { None };
        let ack = DeploymentAck {
            gateway_id: gateway_id.to_owned(),
            organization: outcome.pending.organization.clone(),
            api_id: outcome.pending.api_id,
            environment: outcome.pending.environment.clone(),
            revision_id: wanted.as_ref().map(|deployment| deployment.revision_id),
            artifact_hash: served.as_ref().map(|deployment| deployment.artifact_hash.clone()),
            error,
            at: moment.at,
            position: moment.position.clone(),
        };
        Self { ack, pending: outcome.pending, served }
    }
}

pub(super) async fn run(core: Arc<Core>, shutdown: CancellationToken) {
    let mut backoff = Backoff::new(core.options.pause_min, core.options.pause_max);
    loop {
        let batch = core.acks.first(PER_CALL_MAX);
        if batch.is_empty() {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = core.acks.wake.notified() => continue,
            }
        }
        let sent = tokio::select! {
            () = shutdown.cancelled() => return,
            sent = send(&core, &batch) => sent,
        };
        match sent {
            Ok(()) => {
                backoff.reset();
                core.acks.remove(&batch);
                core.report_unacknowledged();
                settle(&core, batch).await;
            }
            Err(error) => {
                core.metrics.errors.inc();
                let pause = backoff.next(random());
                tracing::warn!(
                    acknowledgements = batch.len(), pause_ms = pause.as_millis(), error = %ErrorChain(&error),
                    "the hub does not take acknowledgements, they are sent again"
                );
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}

async fn send(core: &Core, batch: &[Waiting]) -> Result<(), SyncError> {
    let acks = batch.iter().map(|waiting| waiting.ack.clone()).collect();
    timeout(core.options.answer_timeout, core.bus.acknowledge(acks)).await??;
    Ok(())
}

/// Not being able to note it is harmless: the acknowledgements are sent once more after a restart.
async fn settle(core: &Core, batch: Vec<Waiting>) {
    let last_good = core.last_good.clone();
    let settled: Vec<_> = batch.into_iter().map(|waiting| (waiting.pending, waiting.served)).collect();
    match tokio::task::spawn_blocking(move || last_good.settle(&settled)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "acknowledgements cannot be noted as taken"),
        Err(error) => tracing::warn!(%error, "acknowledgements cannot be noted as taken"),
    }
}
