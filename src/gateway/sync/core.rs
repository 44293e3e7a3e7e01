//! What the tasks of the sync share.

use std::sync::Arc;

use domain::Clock;
use domain::contract::event_bus::{ContentDigest, HubPulse};
use domain::contract::{EventBus, RuntimeData};
use domain::event::{LogName, Position};
use node_store::last_good::PendingAck;
use node_store::{LastGood, NodeStoreError};
use telemetry::error_chain::ErrorChain;
use tokio::sync::{Mutex, MutexGuard, watch};

use super::acks::{Acks, Moment};
use super::metrics::SyncMetrics;
use super::persist::{Outcome, Restored};
use super::state::Cursor;
use super::status::{LogStatus, SyncStatus};
use super::{Deps, Options};
use crate::table::Tables;

pub(super) struct Core {
    pub(super) bus: Arc<dyn EventBus>,
    pub(super) data: Arc<dyn RuntimeData>,
    pub(super) last_good: LastGood,
    pub(super) tables: Tables,
    pub(super) gateway_id: String,
    pub(super) environments: Vec<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Options,
    pub(super) metrics: SyncMetrics,
    /// Held while a batch is persisted and applied. Who needs both takes the control cursor first.
    control: Mutex<Cursor>,
    revocation: Mutex<Cursor>,
    /// Held while a snapshot is taken: the two logs need one at the same time as a rule.
    pub(super) snapshot_gate: Mutex<()>,
    pub(super) acks: Acks,
    pub(super) status: watch::Sender<SyncStatus>,
    /// What the hub last told of the content.
    pub(super) audits: watch::Sender<Option<ContentDigest>>,
}

/// Both logs' cursors; nothing is persisted or applied by others meanwhile.
pub(super) struct Cursors<'a> {
    pub(super) control: MutexGuard<'a, Cursor>,
    pub(super) revocation: MutexGuard<'a, Cursor>,
}

impl Core {
    pub(super) fn new(deps: Deps, last_good: LastGood, restored: Restored) -> Self {
        let status = SyncStatus {
            control: LogStatus { applied: restored.control.clone(), head: restored.control.number },
            revocation: LogStatus { applied: restored.revocation.clone(), head: restored.revocation.number },
            is_loaded: restored.is_loaded,
            ..SyncStatus::default()
        };
        let position = restored.control;
        let core = Self {
            metrics: SyncMetrics::register(&deps.metrics),
            bus: deps.bus,
            data: deps.data,
            last_good,
            tables: deps.tables,
            gateway_id: deps.gateway_id,
            environments: deps.environments,
            clock: deps.clock,
            options: deps.options,
            control: Mutex::new(Cursor::new(position.clone())),
            revocation: Mutex::new(Cursor::new(restored.revocation)),
            snapshot_gate: Mutex::new(()),
            acks: Acks::default(),
            status: watch::channel(status).0,
            audits: watch::channel(None).0,
        };
        core.report(restored.outcomes, &position);
        core
    }

    pub(super) fn cursor(&self, log: LogName) -> &Mutex<Cursor> {
        match log {
            LogName::Control => &self.control,
            LogName::Revocation => &self.revocation,
        }
    }

    /// Both cursors, in the one order in which they may be taken.
    pub(super) async fn cursors(&self) -> Cursors<'_> {
        Cursors { control: self.control.lock().await, revocation: self.revocation.lock().await }
    }

    /// Notes what became of deployments by `position` of the control log, and queues the acknowledgements.
    pub(super) fn report(&self, outcomes: Vec<Outcome>, position: &Position) {
        for outcome in &outcomes {
            let PendingAck { api_id, environment, .. } = &outcome.pending;
            if let Some(error) = outcome.error() {
                tracing::warn!(api.id = %api_id, environment.name = environment, error, "revision cannot be served");
            }
            self.status.send_modify(|status| status.set_failed(*api_id, environment, outcome.error()));
        }
        let failed = self.status.borrow().failed.len();
        self.metrics.failed_deployments.set(i64::try_from(failed).unwrap_or(i64::MAX));
        let moment = Moment { at: self.clock.now(), position: position.clone() };
        self.acks.push(outcomes, &self.gateway_id, &moment);
        self.report_unacknowledged();
    }

    pub(super) fn report_unacknowledged(&self) {
        let waiting = self.acks.len();
        self.metrics.unacknowledged.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.status.send_if_modified(|status| std::mem::replace(&mut status.unacknowledged, waiting) != waiting);
    }

    /// Notes the position of a log that was just applied.
    pub(super) fn report_applied(&self, log: LogName, cursor: &Cursor) {
        self.status.send_modify(|status| {
            let of_log = status.log_mut(log);
            of_log.applied = cursor.applied().clone();
            of_log.head = of_log.head.max(of_log.applied.number);
            self.metrics.set_lag(log, of_log.lag());
        });
    }

    /// Notes that the hub is there, and the logs' newest numbers: both are known also while a question for entries hangs.
    pub(super) fn report_pulse(&self, pulse: &HubPulse) {
        self.tables.fleet().tell(pulse.live_gateways);
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.is_connected = true;
            status.last_contact = Some(now);
            for (log, head) in [(LogName::Control, pulse.control), (LogName::Revocation, pulse.revocation)] {
                let of_log = status.log_mut(log);
                of_log.head = of_log.head.max(head);
                self.metrics.set_lag(log, of_log.lag());
            }
        });
    }

    /// Notes what the content must be. The hub tells the same until it looks again; each look is compared once, and only
    /// one that is of the moment at which this gateway is.
    pub(super) fn report_content(&self, content: ContentDigest) {
        let is_now = self.status.borrow().control.applied == content.at;
        self.audits.send_if_modified(|known| {
            let is_new = is_now && known.as_ref() != Some(&content);
            if is_new {
                *known = Some(content);
            }
            is_new
        });
    }

    /// Notes whether the last good state could be written.
    pub(super) fn report_disk(&self, error: Option<&NodeStoreError>) {
        let reason = error.map(|error| ErrorChain(error).to_string());
        self.status.send_if_modified(|status| {
            let is_new = status.disk_error != reason;
            if is_new {
                match &reason {
                    Some(reason) => tracing::error!(reason, "changes cannot be stored, the gateway serves what it has"),
                    None => tracing::info!("changes can be stored again"),
                }
                status.disk_error = reason;
            }
            is_new
        });
    }

    /// Notes an answer of the hub (`Some(head)`), or that there was none.
    pub(super) fn report_contact(&self, log: LogName, head: Option<u64>) {
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.is_connected = head.is_some();
            let Some(head) = head else { return };
            status.last_contact = Some(now);
            let of_log = status.log_mut(log);
            of_log.head = head;
            self.metrics.set_lag(log, of_log.lag());
        });
    }
}
