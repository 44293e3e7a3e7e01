//! What a gateway does about quotas while no traffic manager answers.

use serde::{Deserialize, Serialize};

/// Which calls pass while no traffic manager decides: none can be reached, or those that can have no database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnTmLoss {
    /// Each gateway admits its share of the quota, less what it spent in the window already.
    #[default]
    LocalShare,
    /// All.
    Allow,
    /// None.
    Deny,
}
