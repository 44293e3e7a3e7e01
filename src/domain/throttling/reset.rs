//! Counts that start anew before their window ends.

use serde::{Deserialize, Serialize};

use crate::{ApplicationId, Organization};

/// A user's calls through an application are counted from nothing again (WSO2 devportal `ApplicationThrottleReset`): from now on
/// under a key of the next generation, so that nothing that was granted under the old one can come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThrottleReset {
    /// The application's.
    pub organization: Organization,
    pub application_id: ApplicationId,
    /// `user@tenant`.
    pub user: String,
    /// Grows with each reset, from 1.
    pub generation: u64,
}
