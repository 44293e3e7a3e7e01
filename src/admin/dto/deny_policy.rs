//! `BlockingCondition`, `BlockingConditionStatus`.

use std::net::IpAddr;

use control_plane::deny_policies::DenyWish;
use domain::Failure;
use domain::throttling::{DenyPolicy, DenyTarget};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A refusal as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockingConditionDto {
    condition_id: String,
    condition_type: &'static str,
    condition_value: Value,
    condition_status: bool,
}

impl From<&DenyPolicy> for BlockingConditionDto {
    fn from(policy: &DenyPolicy) -> Self {
        let condition_value = match &policy.target {
            DenyTarget::Address { address, is_inverted } => json!({"fixedIp": address, "invert": is_inverted}),
            DenyTarget::AddressRange { first, last, is_inverted } => {
                json!({"startingIp": first, "endingIp": last, "invert": is_inverted})
            }
            other => json!(other.text()),
        };
        Self {
            condition_id: policy.id.to_string(),
            condition_type: policy.target.kind(),
            condition_value,
            condition_status: policy.is_active,
        }
    }
}

/// A refusal as it is handed in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewBlockingConditionDto {
    condition_type: ConditionType,
    condition_value: Value,
    #[serde(default = "yes")]
    pub condition_status: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ConditionType {
    Api,
    Application,
    Ip,
    IpRange,
    User,
    Subscription,
}

impl NewBlockingConditionDto {
    /// # Errors
    /// 400 naming the field.
    pub fn into_wish(self) -> Result<DenyWish, Failure> {
        let value = &self.condition_value;
        Ok(match self.condition_type {
            ConditionType::Api => DenyWish::Api(text(value)?),
            ConditionType::Application => DenyWish::Application(text(value)?),
            ConditionType::User => DenyWish::User(text(value)?),
            ConditionType::Subscription => DenyWish::Subscription(text(value)?),
            ConditionType::Ip => {
                DenyWish::Address { address: address(value, "fixedIp")?, is_inverted: is_inverted(value)? }
            }
            ConditionType::IpRange => DenyWish::AddressRange {
                first: address(value, "startingIp")?,
                last: address(value, "endingIp")?,
                is_inverted: is_inverted(value)?,
            },
        })
    }
}

fn invalid(reason: impl std::fmt::Display) -> Failure {
    Failure::invalid("conditionValue", reason)
}

fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(ToOwned::to_owned).ok_or_else(|| invalid("must be a text for this conditionType"))
}

fn address(value: &Value, name: &str) -> Result<IpAddr, Failure> {
    let text = value.get(name).and_then(Value::as_str).map(str::trim);
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| invalid(format!("must be an object in which {name} is an IPv4 or IPv6 address")))
}

fn is_inverted(value: &Value) -> Result<bool, Failure> {
    match value.get("invert") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(is_inverted)) => Ok(*is_inverted),
        Some(_) => Err(invalid("invert must be true or false")),
    }
}

/// `BlockingConditionStatus`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockingConditionStatusDto {
    pub condition_status: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(body: Value) -> Result<DenyWish, String> {
        let dto: NewBlockingConditionDto = serde_json::from_value(body).map_err(|error| error.to_string())?;
        dto.into_wish().map_err(|error| error.to_string())
    }

    #[test]
    fn a_condition_is_read_by_its_type() {
        let ip = json!({"conditionType": "IP", "conditionValue": {"fixedIp": "::1", "invert": true}});
        assert_eq!(wish(ip), Ok(DenyWish::Address { address: "::1".parse().unwrap(), is_inverted: true }));
        let api = json!({"conditionType": "API", "conditionValue": "/pizza/1.0.0"});
        assert_eq!(wish(api), Ok(DenyWish::Api("/pizza/1.0.0".to_owned())));
        let wrong = [
            json!({"conditionType": "API", "conditionValue": {}}),
            json!({"conditionType": "IP", "conditionValue": "10.0.0.1"}),
            json!({"conditionType": "IP", "conditionValue": {"fixedIp": "10.0.0.999"}}),
            json!({"conditionType": "IPRANGE", "conditionValue": {"startingIp": "10.0.0.1"}}),
            json!({"conditionType": "IP", "conditionValue": {"fixedIp": "10.0.0.1", "invert": "yes"}}),
        ];
        for body in wrong {
            let refusal = wish(body.clone()).unwrap_err();
            assert!(refusal.contains("conditionValue"), "{body}: {refusal}");
        }
    }
}
