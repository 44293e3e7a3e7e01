//! Advanced policies (WSO2 admin `AdvancedThrottlePolicy`): limits of whole APIs or single operations, with other limits
//! for calls that meet conditions.

use std::net::IpAddr;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::Limit;
use crate::{Organization, PolicyId};

/// Most memory that the compiled value of a condition takes, in bytes, and the deepest nesting of its text.
const PATTERN_BYTES_MAX: usize = 1 << 20;
const PATTERN_DEPTH_MAX: u32 = 32;

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

/// The regular expression that the value of a header, claim or query condition is; it is searched in linear time.
///
/// # Errors
/// The text is none, or one that takes too much memory.
pub fn value_pattern(value: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(value)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .nest_limit(PATTERN_DEPTH_MAX)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_regular_expressions_within_limits() {
        assert!(value_pattern("^gold|silver$").unwrap().is_match("gold"));
        for wrong in ["(", "a{1000}{1000}", "(?=a)", &"(".repeat(40)] {
            assert!(value_pattern(wrong).is_err(), "{wrong}");
        }
    }
}
