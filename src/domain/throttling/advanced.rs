//! Advanced policies (WSO2 admin `AdvancedThrottlePolicy`): limits of whole APIs or single operations, with other limits
//! for calls that meet conditions.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Limit;
use crate::{Organization, PolicyId};

/// A policy that APIs and operations can name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdvancedPolicy {
    pub id: PolicyId,
    pub organization: Organization,
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// For calls that no group takes; `None` limits nothing.
    pub limit: Option<Limit>,
    /// The first one whose conditions all hold gives the limit.
    pub groups: Vec<ConditionalGroup>,
}

/// A limit for calls that meet all of some conditions (WSO2 `ConditionalGroup`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionalGroup {
    pub description: String,
    /// At least one.
    pub conditions: Vec<Condition>,
    pub limit: Limit,
}

/// What a call must be like, or must not be like (WSO2 `ThrottleCondition`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub is_inverted: bool,
    pub subject: Subject,
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Subject {
    Header {
        name: String,
        value: String,
    },
    Address {
        address: IpAddr,
    },
    /// Both ends included and of the same family.
    AddressRange {
        first: IpAddr,
        last: IpAddr,
    },
    Claim {
        claim: String,
        value: String,
    },
    QueryParameter {
        name: String,
        value: String,
    },
}
