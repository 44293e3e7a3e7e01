//! `AdvancedThrottlePolicy`, `ConditionalGroup`, `ThrottleCondition`.

use std::net::IpAddr;

use domain::throttling::AdvancedPolicy;
use domain::throttling::advanced::{Condition, ConditionalGroup, Subject};
use domain::{Failure, Organization, PolicyId};
use http::throttle_limit::ThrottleLimitDto;
use serde::{Deserialize, Serialize};

use super::policy::{PolicyDto, limit, limit_dto, of_policy, text, throttle_policy_dto};

throttle_policy_dto! {
    /// `AdvancedThrottlePolicy`.
    AdvancedThrottlePolicyDto {
        #[serde(default)]
        conditional_groups: Option<Vec<ConditionalGroupDto>>,
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConditionalGroupDto {
    #[serde(default)]
    description: Option<String>,
    conditions: Vec<ThrottleConditionDto>,
    limit: ThrottleLimitDto,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleConditionDto {
    #[serde(rename = "type")]
    kind: ConditionKind,
    #[serde(default)]
    invert_condition: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header_condition: Option<HeaderConditionDto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip_condition: Option<IpConditionDto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwt_claims_condition: Option<JwtClaimsConditionDto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query_parameter_condition: Option<QueryParameterConditionDto>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
enum ConditionKind {
    #[default]
    #[serde(rename = "HEADERCONDITION")]
    Header,
    #[serde(rename = "IPCONDITION")]
    Ip,
    #[serde(rename = "JWTCLAIMSCONDITION")]
    JwtClaims,
    #[serde(rename = "QUERYPARAMETERCONDITION")]
    QueryParameter,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderConditionDto {
    header_name: String,
    header_value: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IpConditionDto {
    ip_condition_type: IpConditionKind,
    /// Clients send and read it for ranges too.
    #[serde(rename = "specificIP", default)]
    specific_ip: Option<String>,
    #[serde(rename = "startingIP", default, skip_serializing_if = "Option::is_none")]
    starting_ip: Option<String>,
    #[serde(rename = "endingIP", default, skip_serializing_if = "Option::is_none")]
    ending_ip: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum IpConditionKind {
    #[serde(rename = "IPRANGE")]
    Range,
    #[serde(rename = "IPSPECIFIC")]
    Specific,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JwtClaimsConditionDto {
    claim_url: String,
    attribute: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryParameterConditionDto {
    parameter_name: String,
    parameter_value: String,
}

impl PolicyDto for AdvancedThrottlePolicyDto {
    type Policy = AdvancedPolicy;
    const COLLECTION: &'static str = "advanced";
    const SUBTYPE: &'static str = "advanced policy";

    fn id(policy: &AdvancedPolicy) -> PolicyId {
        policy.id
    }

    fn from_policy(policy: &AdvancedPolicy) -> Self {
        of_policy!(policy, "AdvancedThrottlePolicy", limit_dto(policy.limit.as_ref()), {
            conditional_groups: Some(policy.groups.iter().map(ConditionalGroupDto::from).collect()),
        })
    }

    fn into_policy(self, organization: &Organization) -> Result<AdvancedPolicy, Failure> {
        let (display_name, description) = self.texts()?;
        let groups = self.conditional_groups.unwrap_or_default().into_iter().enumerate();
        Ok(AdvancedPolicy {
            id: PolicyId::random(),
            organization: organization.clone(),
            limit: limit(&self.policy_name, self.default_limit)?,
            display_name,
            description,
            name: self.policy_name,
            groups: groups
                .map(|(index, group)| group.into_group(&format!("conditionalGroups[{index}]")))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl ConditionalGroupDto {
    fn into_group(self, field: &str) -> Result<ConditionalGroup, Failure> {
        let conditions = self.conditions.into_iter().enumerate();
        Ok(ConditionalGroup {
            description: self.description.unwrap_or_default(),
            conditions: conditions
                .map(|(index, condition)| condition.into_condition(&format!("{field}.conditions[{index}]")))
                .collect::<Result<_, _>>()?,
            limit: self.limit.into_limit_of(&format!("{field}.limit"))?,
        })
    }
}

impl From<&ConditionalGroup> for ConditionalGroupDto {
    fn from(group: &ConditionalGroup) -> Self {
        Self {
            description: Some(group.description.clone()),
            conditions: group.conditions.iter().map(ThrottleConditionDto::from).collect(),
            limit: ThrottleLimitDto::from(&group.limit),
        }
    }
}

impl ThrottleConditionDto {
    fn into_condition(self, field: &str) -> Result<Condition, Failure> {
        let missing =
            |name: &str| Failure::invalid(&format!("{field}.{name}"), "is missing for this type of condition");
        let subject = match self.kind {
            ConditionKind::Header => {
                let own = self.header_condition.ok_or_else(|| missing("headerCondition"))?;
                Subject::Header { name: own.header_name, value: own.header_value }
            }
            ConditionKind::JwtClaims => {
                let own = self.jwt_claims_condition.ok_or_else(|| missing("jwtClaimsCondition"))?;
                Subject::Claim { claim: own.claim_url, value: own.attribute }
            }
            ConditionKind::QueryParameter => {
                let own = self.query_parameter_condition.ok_or_else(|| missing("queryParameterCondition"))?;
                Subject::QueryParameter { name: own.parameter_name, value: own.parameter_value }
            }
            ConditionKind::Ip => {
                let own = self.ip_condition.ok_or_else(|| missing("ipCondition"))?;
                own.into_subject(&format!("{field}.ipCondition"))?
            }
        };
        Ok(Condition { is_inverted: self.invert_condition, subject })
    }
}

impl IpConditionDto {
    fn into_subject(self, field: &str) -> Result<Subject, Failure> {
        let address = |name: &str, text: Option<String>| -> Result<IpAddr, Failure> {
            let parsed = text.as_deref().unwrap_or_default().trim().parse();
            parsed.map_err(|_| Failure::invalid(&format!("{field}.{name}"), "must be an IPv4 or IPv6 address"))
        };
        Ok(match self.ip_condition_type {
            IpConditionKind::Specific => Subject::Address { address: address("specificIP", self.specific_ip)? },
            IpConditionKind::Range => Subject::AddressRange {
                first: address("startingIP", self.starting_ip)?,
                last: address("endingIP", self.ending_ip)?,
            },
        })
    }
}

impl From<&Condition> for ThrottleConditionDto {
    fn from(condition: &Condition) -> Self {
        let none = Self { invert_condition: condition.is_inverted, ..Self::default() };
        match condition.subject.clone() {
            Subject::Header { name, value } => {
                Self { header_condition: Some(HeaderConditionDto { header_name: name, header_value: value }), ..none }
            }
            Subject::Claim { claim, value } => Self {
                kind: ConditionKind::JwtClaims,
                jwt_claims_condition: Some(JwtClaimsConditionDto { claim_url: claim, attribute: value }),
                ..none
            },
            Subject::QueryParameter { name, value } => Self {
                kind: ConditionKind::QueryParameter,
                query_parameter_condition: Some(QueryParameterConditionDto {
                    parameter_name: name,
                    parameter_value: value,
                }),
                ..none
            },
            Subject::Address { address } => Self {
                kind: ConditionKind::Ip,
                ip_condition: Some(IpConditionDto {
                    ip_condition_type: IpConditionKind::Specific,
                    specific_ip: Some(address.to_string()),
                    starting_ip: None,
                    ending_ip: None,
                }),
                ..none
            },
            Subject::AddressRange { first, last } => Self {
                kind: ConditionKind::Ip,
                ip_condition: Some(IpConditionDto {
                    ip_condition_type: IpConditionKind::Range,
                    specific_ip: Some(String::new()),
                    starting_ip: Some(first.to_string()),
                    ending_ip: Some(last.to_string()),
                }),
                ..none
            },
        }
    }
}
