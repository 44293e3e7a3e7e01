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
