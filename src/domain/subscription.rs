//! An application's right to call an API.

use serde::{Deserialize, Serialize};

use crate::{ApiId, ApplicationId, Organization, SubscriptionId, Timestamp};

/// WSO2 `Subscription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub organization: Organization,
    pub api_id: ApiId,
    pub application_id: ApplicationId,
    /// Name of the subscription policy.
    pub throttling_policy: String,
    pub state: SubscriptionState,
    pub created_at: Timestamp,
}

/// WSO2 `Subscription.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubscriptionState {
    Unblocked,
    Blocked,
    /// Blocked for production keys only.
    ProdOnlyBlocked,
    OnHold,
    Rejected,
    TierUpdatePending,
    DeletePending,
}

impl SubscriptionState {
    pub const ALL: [Self; 7] = [
        Self::Unblocked,
        Self::Blocked,
        Self::ProdOnlyBlocked,
        Self::OnHold,
        Self::Rejected,
        Self::TierUpdatePending,
        Self::DeletePending,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unblocked => "UNBLOCKED",
            Self::Blocked => "BLOCKED",
            Self::ProdOnlyBlocked => "PROD_ONLY_BLOCKED",
            Self::OnHold => "ON_HOLD",
            Self::Rejected => "REJECTED",
            Self::TierUpdatePending => "TIER_UPDATE_PENDING",
            Self::DeletePending => "DELETE_PENDING",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}
