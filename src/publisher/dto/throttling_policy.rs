//! `ThrottlingPolicy` of the publisher.

use domain::throttling::{AdvancedPolicy, SubscriptionPolicy};
use http::tier::TierDto;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottlingPolicyDto {
    #[serde(flatten)]
    tier: TierDto,
    display_name: String,
    monetization_properties: Map<String, Value>,
}

impl ThrottlingPolicyDto {
    pub fn subscription(policy: &SubscriptionPolicy) -> Self {
        Self {
            tier: TierDto::subscription(policy),
            display_name: policy.display_name.clone(),
            monetization_properties: Map::new(),
        }
    }

    pub fn advanced(policy: &AdvancedPolicy) -> Self {
        Self {
            tier: TierDto::new("api", &policy.name, &policy.description, policy.limit.as_ref()),
            display_name: policy.display_name.clone(),
            monetization_properties: Map::new(),
        }
    }
}
