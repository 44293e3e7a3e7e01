//! What holds for advanced policies beside the rules of all policies.

use domain::event::Event;
use domain::throttling::advanced::{ConditionalGroup, Subject, value_pattern};
use domain::throttling::{AdvancedPolicy, Limit, PolicyKind};
use domain::{Failure, PolicyId};

use super::{ServedPolicy, check_limit};

/// Most groups of a policy, and conditions of a group.
const GROUPS_MAX: usize = 50;
const CONDITIONS_MAX: usize = 50;
/// Longest name or value in a condition, in characters.
const TEXT_CHARS_MAX: usize = 512;

impl ServedPolicy for AdvancedPolicy {
    const EVENT_KIND: PolicyKind = PolicyKind::Advanced;
    const USERS: &'static str = "APIs";

    fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    fn set_id(&mut self, id: PolicyId) {
        self.id = id;
    }

    fn updated(self) -> Event {
        Event::AdvancedPolicyUpdated(self)
    }

    fn check_more(&self) -> Result<(), Failure> {
        if self.groups.len() > GROUPS_MAX {
            return Err(Failure::invalid("conditionalGroups", format!("has more than {GROUPS_MAX} entries")));
        }
        let mut groups = self.groups.iter().enumerate();
        groups.try_for_each(|(index, group)| check_group(&format!("conditionalGroups[{index}]"), group))
    }
}

fn check_group(field: &str, group: &ConditionalGroup) -> Result<(), Failure> {
    check_limit(&format!("{field}.limit"), &group.limit)?;
    if group.conditions.is_empty() || group.conditions.len() > CONDITIONS_MAX {
        let reason = format!("must have 1 to {CONDITIONS_MAX} entries");
        return Err(Failure::invalid(&format!("{field}.conditions"), reason));
    }
    for (index, condition) in group.conditions.iter().enumerate() {
        check_subject(&format!("{field}.conditions[{index}]"), &condition.subject)?;
    }
    Ok(())
}

fn check_subject(field: &str, subject: &Subject) -> Result<(), Failure> {
    match subject {
        Subject::Header { name, value } => {
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)) {
                return Err(Failure::invalid(&format!("{field}.headerCondition.headerName"), "is no name of a header"));
            }
            check_text(&format!("{field}.headerCondition.headerName"), name)?;
            check_pattern(&format!("{field}.headerCondition.headerValue"), value)
        }
        Subject::Claim { claim, value } => {
            check_text(&format!("{field}.jwtClaimsCondition.claimUrl"), claim)?;
            check_pattern(&format!("{field}.jwtClaimsCondition.attribute"), value)
        }
        Subject::QueryParameter { name, value } => {
            check_text(&format!("{field}.queryParameterCondition.parameterName"), name)?;
            check_pattern(&format!("{field}.queryParameterCondition.parameterValue"), value)
        }
        Subject::Address { .. } => Ok(()),
        Subject::AddressRange { first, last } if first.is_ipv4() != last.is_ipv4() => {
            Err(Failure::invalid(&format!("{field}.ipCondition.endingIP"), "must be of the same family as startingIP"))
        }
        Subject::AddressRange { first, last } if first > last => {
            Err(Failure::invalid(&format!("{field}.ipCondition.endingIP"), "must not be before startingIP"))
        }
        Subject::AddressRange { .. } => Ok(()),
    }
}

fn check_pattern(field: &str, value: &str) -> Result<(), Failure> {
    check_text(field, value)?;
    value_pattern(value)
        .map(|_| ())
        .map_err(|error| Failure::invalid(field, format!("is not a regular expression that can be used: {error}")))
}

fn check_text(field: &str, text: &str) -> Result<(), Failure> {
    let length = text.chars().count();
    if length == 0 || length > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
        let reason = format!("must have 1 to {TEXT_CHARS_MAX} characters, none of them a control character");
        return Err(Failure::invalid(field, reason));
    }
    Ok(())
}
