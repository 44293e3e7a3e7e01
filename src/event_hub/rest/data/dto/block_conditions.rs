//! `BlockConditions`, `IPLevel`.

use std::net::IpAddr;

use domain::Organization;
use domain::throttling::{DenyPolicy, DenyTarget};
use serde::Serialize;

/// The refusals that are switched on.
#[derive(Debug, Default, Serialize)]
pub struct BlockConditionsDto {
    api: Vec<String>,
    application: Vec<String>,
    ip: Vec<IpLevelDto>,
    user: Vec<String>,
    /// Of another release of the original; nothing makes these.
    custom: [(); 0],
    subscription: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IpLevelDto {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_ip: Option<IpAddr>,
    invert: bool,
    tenant_domain: Organization,
    id: u32,
}

impl BlockConditionsDto {
    pub fn of(policies: &[DenyPolicy]) -> Self {
        let mut conditions = Self::default();
        for policy in policies.iter().filter(|policy| policy.is_active) {
            let list = match policy.target {
                DenyTarget::ApiContext { .. } => &mut conditions.api,
                DenyTarget::Application { .. } => &mut conditions.application,
                DenyTarget::User { .. } => &mut conditions.user,
                DenyTarget::Subscription { .. } => &mut conditions.subscription,
                DenyTarget::Address { address, is_inverted } => {
                    conditions.ip.push(IpLevelDto::new(policy, is_inverted, (Some(address), None, None)));
                    continue;
                }
                DenyTarget::AddressRange { first, last, is_inverted } => {
                    conditions.ip.push(IpLevelDto::new(policy, is_inverted, (None, Some(first), Some(last))));
                    continue;
                }
            };
            list.extend(policy.target.text());
        }
        conditions
    }
}

/// The address, or both ends of a range.
type Addresses = (Option<IpAddr>, Option<IpAddr>, Option<IpAddr>);

impl IpLevelDto {
    fn new(policy: &DenyPolicy, invert: bool, (fixed_ip, starting_ip, ending_ip): Addresses) -> Self {
        Self {
            kind: policy.target.kind(),
            fixed_ip,
            starting_ip,
            ending_ip,
            invert,
            tenant_domain: policy.organization.clone(),
            id: policy.id.number(),
        }
    }
}
