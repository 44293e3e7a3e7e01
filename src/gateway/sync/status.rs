//! How far the gateway is, for `/health/ready` and for metrics.

use domain::event::{LogName, Position};
use domain::{ApiId, Timestamp};

/// One log's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogStatus {
    /// Applied to the tables and on disk.
    pub applied: Position,
    /// The newest number that the hub told.
    pub head: u64,
}

impl LogStatus {
    /// Entries that are not yet applied.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.head.saturating_sub(self.applied.number)
    }
}

/// A deployment that is wanted and cannot be served; an earlier revision may be served in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDeployment {
    pub api_id: ApiId,
    pub environment: String,
    pub error: String,
}

/// The state of the sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncStatus {
    pub control: LogStatus,
    pub revocation: LogStatus,
    /// Whether the tables were ever filled, from disk or from a snapshot.
    pub is_loaded: bool,
    /// Whether the hub answered the last question for entries, or a heartbeat since.
    pub is_connected: bool,
    /// When the hub last answered.
    pub last_contact: Option<Timestamp>,
    /// Why the newest changes could not be written to disk; they are not applied until they can.
    pub disk_error: Option<String>,
    pub failed: Vec<FailedDeployment>,
    /// Deployments whose acknowledgement the hub has not taken yet.
    pub unacknowledged: usize,
}

impl SyncStatus {
    #[must_use]
    pub fn log(&self, log: LogName) -> &LogStatus {
        match log {
            LogName::Control => &self.control,
            LogName::Revocation => &self.revocation,
        }
    }

    /// What readiness adds while changes cannot be stored: the gateway goes on serving what it has.
    #[must_use]
    pub fn disk_report(&self) -> String {
        self.disk_error.as_ref().map(|error| format!("; changes cannot be stored: {error}")).unwrap_or_default()
    }

    pub(super) fn log_mut(&mut self, log: LogName) -> &mut LogStatus {
        match log {
            LogName::Control => &mut self.control,
            LogName::Revocation => &mut self.revocation,
        }
    }

    pub(super) fn set_failed(&mut self, api_id: ApiId, environment: &str, error: Option<&str>) {
        self.failed.retain(|failed| failed.api_id != api_id || failed.environment != environment);
        if let Some(error) = error {
            let (environment, error) = (environment.to_owned(), error.to_owned());
            self.failed.push(FailedDeployment { api_id, environment, error });
        }
    }
}
