//! Frozen copies of APIs and where they are to be served.

use serde::{Deserialize, Serialize};

use crate::{ApiId, Organization, RevisionId, Timestamp};

/// Most revisions that one API may have at a time (WSO2's limit).
pub const REVISIONS_PER_API_MAX: usize = 5;

/// A frozen copy of an API (WSO2 `APIRevision`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub id: RevisionId,
    pub api_id: ApiId,
    pub organization: Organization,
    /// 1 for the first revision of the API; never used twice.
    pub number: i32,
    pub description: String,
    pub created_at: Timestamp,
    pub created_by: String,
    /// SHA-256 (hex) of the artifact that gateways load for this revision.
    pub artifact_hash: String,
}

/// The wish that a revision be served in an environment (WSO2 `APIRevisionDeployment`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub api_id: ApiId,
    pub revision_id: RevisionId,
    pub environment: String,
    pub vhost: String,
    pub display_on_devportal: bool,
    pub deployed_at: Timestamp,
}

/// What one live gateway makes of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayStanding {
    pub gateway_id: String,
    pub state: GatewayState,
    /// When it acknowledged; `None` while it has not.
    pub at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayState {
    /// It serves exactly this revision.
    Deployed,
    /// Why it cannot; it goes on serving what it served before.
    Failed(String),
    /// It has not said anything about this revision yet.
    Pending,
}

/// A deployment as a whole, over the live gateways of its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// All serve it.
    Deployed,
    /// Some serve it, and others failed or have not answered.
    Partial,
    /// None serves it, and at least one failed.
    Failed,
    /// None has answered yet.
    Pending,
    /// There is no live gateway.
    NoGateway,
}

impl DeploymentState {
    /// As the REST API shows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "DEPLOYED",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
            Self::Pending => "PENDING",
            Self::NoGateway => "NO_GATEWAY",
        }
    }
}

impl<'a> FromIterator<&'a GatewayStanding> for DeploymentCounts {
    fn from_iter<I: IntoIterator<Item = &'a GatewayStanding>>(gateways: I) -> Self {
        let mut counts = Self::default();
        for gateway in gateways {
            counts.live += 1;
            match gateway.state {
                GatewayState::Deployed => {
                    counts.deployed += 1;
                    counts.succeeded_at = counts.succeeded_at.max(gateway.at);
                }
                GatewayState::Failed(_) => counts.failed += 1,
                GatewayState::Pending => {}
            }
        }
        counts
    }
}

impl DeploymentCounts {
    #[must_use]
    pub fn state(&self) -> DeploymentState {
        match (self.live, self.deployed, self.failed) {
            (0, ..) => DeploymentState::NoGateway,
            (live, deployed, _) if deployed >= live => DeploymentState::Deployed,
            (_, 0, 0) => DeploymentState::Pending,
            (_, 0, _) => DeploymentState::Failed,
            _ => DeploymentState::Partial,
        }
    }

    /// Whether every live gateway has said what became of it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.deployed + self.failed >= self.live
    }
}

/// What gateways reported of one deployment; counted from acknowledgements alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeploymentCounts {
    /// Gateways of the environment whose heartbeat is fresh.
    pub live: i64,
    /// Live gateways that acknowledged exactly this revision.
    pub deployed: i64,
    /// Live gateways that reported an error for this revision.
    pub failed: i64,
    /// When the last of them acknowledged success.
    pub succeeded_at: Option<Timestamp>,
}
