//! Advanced policies, compiled: the first group whose conditions all hold gives the limit.

use std::borrow::Cow;
use std::net::IpAddr;

use domain::throttling::AdvancedPolicy;
use domain::throttling::advanced::{Condition, Subject, value_pattern};
use domain::throttling::deny_policy::is_between;
use hyper::header::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use regex::Regex;

use crate::table::tier::Tier;

/// What a policy says of each call.
#[derive(Debug)]
pub struct AdvancedTier {
    default: Tier,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    conditions: Vec<(Matcher, bool)>,
    tier: Tier,
}

#[derive(Debug)]
enum Matcher {
    Header(HeaderName, Regex),
    QueryParameter(String, Regex),
    Claim(String, Regex),
    Range(IpAddr, IpAddr),
}

/// What conditions look at.
pub trait CallFacts {
    fn headers(&self) -> &HeaderMap;
    fn query(&self) -> Option<&str>;
    fn client(&self) -> IpAddr;
    /// A claim by its name or by the address that the original's backend token has for it.
    fn claim(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// A condition that cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCondition {
    #[error("'{0}' is no name of a header")]
    Header(String),
    #[error("an expression cannot be used")]
    Expression(#[from] regex::Error),
}

impl AdvancedTier {
    pub(super) fn compile(policy: &AdvancedPolicy) -> Result<Self, InvalidCondition> {
        let mut groups = Vec::with_capacity(policy.groups.len());
        for group in &policy.groups {
            let conditions = group.conditions.iter().map(compile).collect::<Result<_, _>>()?;
            groups.push(Group { conditions, tier: Tier::new(Some(&group.limit), true) });
        }
        Ok(Self { default: Tier::new(policy.limit.as_ref(), true), groups })
    }

    /// The limit of a call, and the number of the group that gives it: calls of each group are counted by themselves.
    #[must_use]
    pub fn of(&self, call: &dyn CallFacts) -> (Tier, Option<u16>) {
        let holds = |group: &Group| group.conditions.iter().all(|(matcher, inverted)| matcher.holds(call) != *inverted);
        for (number, group) in (0..).zip(&self.groups) {
            if holds(group) {
                return (group.tier, Some(number));
            }
        }
        (self.default, None)
    }
}

fn compile(condition: &Condition) -> Result<(Matcher, bool), InvalidCondition> {
    let matcher = match &condition.subject {
        Subject::Header { name, value } => {
            let header = HeaderName::try_from(name.as_str()).map_err(|_| InvalidCondition::Header(name.clone()))?;
            Matcher::Header(header, value_pattern(value)?)
        }
        Subject::QueryParameter { name, value } => Matcher::QueryParameter(name.clone(), value_pattern(value)?),
        Subject::Claim { claim, value } => Matcher::Claim(claim.clone(), value_pattern(value)?),
        Subject::Address { address } => Matcher::Range(*address, *address),
        Subject::AddressRange { first, last } => Matcher::Range(*first, *last),
    };
    Ok((matcher, condition.is_inverted))
}

impl Matcher {
    fn holds(&self, call: &dyn CallFacts) -> bool {
        match self {
            Self::Header(name, value) => {
                let mut values = call.headers().get_all(name).iter();
                values.any(|own| own.to_str().is_ok_and(|own| value.is_match(own)))
            }
            Self::QueryParameter(name, value) => parameters(call.query().unwrap_or_default())
                .any(|(own, text)| own == name.as_str() && value.is_match(&text)),
            Self::Claim(name, value) => call.claim(name).is_some_and(|own| value.is_match(&own)),
            Self::Range(first, last) => is_between(call.client(), *first, *last),
        }
    }
}

/// Decoded names and values; a plus is a space, as in forms.
fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        return Cow::Owned(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use domain::throttling::advanced::ConditionalGroup;
    use domain::throttling::{Limit, Quota, TimeUnit};
    use domain::{Organization, PolicyId};

    use super::*;

    struct Call(HeaderMap);

    impl CallFacts for Call {
        fn headers(&self) -> &HeaderMap {
            &self.0
        }

        fn query(&self) -> Option<&str> {
            Some("a=1&name=ad+min%21&flag")
        }

        fn client(&self) -> IpAddr {
            "10.100.7.99".parse().unwrap()
        }

        fn claim(&self, name: &str) -> Option<Cow<'_, str>> {
            (name == "application").then_some("Shop".into())
        }
    }

    fn call() -> Call {
        Call(HeaderMap::from_iter([(HeaderName::from_static("x-tier"), "gold".parse().unwrap())]))
    }

    fn limit(requests: u64) -> Limit {
        Limit::new(Quota::RequestCount { requests }, 1, TimeUnit::Min)
    }

    fn policy(groups: Vec<Vec<(Subject, bool)>>) -> AdvancedPolicy {
        let group = |(index, conditions): (u64, Vec<(Subject, bool)>)| ConditionalGroup {
            description: String::new(),
            conditions: conditions
                .into_iter()
                .map(|(subject, is_inverted)| Condition { is_inverted, subject })
                .collect(),
            limit: limit(index + 1),
        };
        AdvancedPolicy {
            id: PolicyId::random(),
            organization: Organization::super_tenant(),
            name: "P".into(),
            display_name: "P".into(),
            description: String::new(),
            limit: Some(limit(100)),
            groups: (0..).zip(groups).map(group).collect(),
        }
    }

    fn group_of(groups: Vec<Vec<(Subject, bool)>>) -> Option<u16> {
        AdvancedTier::compile(&policy(groups)).unwrap().of(&call()).1
    }

    fn header(value: &str) -> Subject {
        Subject::Header { name: "X-Tier".into(), value: value.into() }
    }

    #[test]
    fn the_first_group_whose_conditions_all_hold_counts() {
        let claim = Subject::Claim { claim: "application".into(), value: "^Shop$".into() };
        let parameter = Subject::QueryParameter { name: "name".into(), value: "ad min!".into() };
        let range = |first: &str, last: &str| Subject::AddressRange {
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
        };
        assert_eq!(group_of(vec![vec![(header("silver"), false)], vec![(header("go.d"), false)]]), Some(1));
        assert_eq!(group_of(vec![vec![(header("gold"), false), (claim.clone(), true)], vec![(claim, false)]]), Some(1));
        assert_eq!(group_of(vec![vec![(parameter, false)]]), Some(0));
        assert_eq!(group_of(vec![vec![(range("10.100.7.0", "10.100.7.98"), false)]]), None);
        assert_eq!(group_of(vec![vec![(range("10.100.7.0", "10.100.7.99"), false)]]), Some(0));
        assert_eq!(group_of(vec![vec![(header("gold"), true)]]), None);
    }

    #[test]
    fn an_expression_that_is_too_large_is_refused() {
        let large = policy(vec![vec![(header("(a{1000}){1000}"), false)]]);
        assert!(matches!(AdvancedTier::compile(&large), Err(InvalidCondition::Expression(_))));
    }
}
