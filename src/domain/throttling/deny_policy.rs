//! Deny policies (WSO2 admin `BlockingCondition`): whose calls are refused whatever else allows them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Organization, PolicyId};

/// A refusal that an administrator can switch on and off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyPolicy {
    pub id: PolicyId,
    /// Calls of this tenant's APIs are refused.
    pub organization: Organization,
    pub target: DenyTarget,
    pub is_active: bool,
}

/// Whose calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "target")]
pub enum DenyTarget {
    /// An API by its path with the version, e.g. `/pizza/1.0.0`.
    ApiContext { context: String },
    /// An application by its owner's name and its own.
    Application { subscriber: String, application: String },
    /// A user, `user@tenant`.
    User { user: String },
    /// One address; inverted, all others.
    Address { address: IpAddr, is_inverted: bool },
    /// Both ends included and of the same family; inverted, all other addresses.
    AddressRange { first: IpAddr, last: IpAddr, is_inverted: bool },
    /// One application's calls to one API with one kind of keys.
    Subscription { context: String, subscriber: String, application: String, is_sandbox: bool },
}

impl DenyTarget {
    /// WSO2's `conditionType`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiContext { .. } => "API",
            Self::Application { .. } => "APPLICATION",
            Self::User { .. } => "USER",
            Self::Address { .. } => "IP",
            Self::AddressRange { .. } => "IPRANGE",
            Self::Subscription { .. } => "SUBSCRIPTION",
        }
    }

    /// WSO2's `conditionValue` of the kinds for which it is a text; `None` for addresses.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::ApiContext { context } => Some(context.clone()),
            Self::Application { subscriber, application } => Some(format!("{subscriber}:{application}")),
            Self::User { user } => Some(user.clone()),
            Self::Subscription { context, subscriber, application, is_sandbox } => {
                let key_type = if *is_sandbox { "SANDBOX" } else { "PRODUCTION" };
                Some(format!("{context}:{subscriber}-{application}:{key_type}"))
            }
            Self::Address { .. } | Self::AddressRange { .. } => None,
        }
    }
}

/// Whether `address` lies between `first` and `last`, both included; addresses of different families never do.
#[must_use]
pub fn is_between(address: IpAddr, first: IpAddr, last: IpAddr) -> bool {
    let same_family = address.is_ipv4() == first.is_ipv4() && first.is_ipv4() == last.is_ipv4();
    same_family && first <= address && address <= last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_its_ends_and_no_other_family() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let (first, last) = (ip("10.0.0.9"), ip("10.0.1.2"));
        assert!(is_between(first, first, last) && is_between(last, first, last));
        assert!(is_between(ip("10.0.0.200"), first, last));
        assert!(!is_between(ip("10.0.0.8"), first, last) && !is_between(ip("10.0.1.3"), first, last));
        assert!(!is_between(ip("::a00:9"), first, last));
    }
}
