//! Custom rules (WSO2 admin `CustomRule`): a limit of the calls that look alike under a key template, when an expression
//! holds.
//!
//! The original takes text of a stream engine in `siddhiQuery`. Here the field holds one sentence instead:
//!
//! ```text
//! 5 requests per 1 min when $apiContext == "/pizza/1.0.0" and not $clientIp in "10.0.0.0/8"
//! 5 requests per 1 hour from first request
//! ```

pub mod expression;
pub mod template;
mod words;

use serde::{Deserialize, Serialize};

use super::{Limit, Quota, TimeUnit, WindowKind};
use crate::{Organization, PolicyId};
use expression::Expression;
pub use template::{ANONYMOUS, Facts, KeyTemplate, Variable};
use words::{Word, Words};

/// Longest text of a rule, in bytes.
pub const RULE_BYTES_MAX: usize = 4_096;

/// A rule as it is stored and sent; [`Rule::parse`] and [`KeyTemplate::parse`] accept both texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomRule {
    pub id: PolicyId,
    /// Calls of this tenant's APIs are counted.
    pub organization: Organization,
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// What is counted together, e.g. `$userId:$apiContext`.
    pub key_template: String,
    /// The limit, and when it counts.
    pub rule: String,
    /// The remaining fields of the wire object, kept as they came.
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// A text is no rule; the place counts bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("is longer than {RULE_BYTES_MAX} bytes")]
    TooLong,
    #[error(
        "is text of another engine (Siddhi), which is not evaluated; write a sentence like: \
         5 requests per 1 min when $userId == \"bob@carbon.super\""
    )]
    OtherEngine,
    #[error("expected {expected} at position {at}")]
    Expected { expected: &'static str, at: usize },
    #[error("'{name}' at position {at} is no variable; there are {}", Variable::names())]
    UnknownVariable { name: String, at: usize },
    #[error(
        "is nested too deeply or too long: at most {} comparisons, {} deep",
        expression::COMPARISONS_MAX,
        expression::DEPTH_MAX
    )]
    TooComplex,
}

/// What the text of a rule says.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Always a count of requests.
    pub limit: Limit,
    /// `None` for all calls.
    condition: Option<Expression>,
}

impl Rule {
    /// Reads `<count> requests per [<n>] <unit> [from first request] [when <expression>]`.
    ///
    /// # Errors
    /// Says what was expected where.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.len() > RULE_BYTES_MAX {
            return Err(RuleError::TooLong);
        }
        let upper = text.to_ascii_uppercase();
        if upper.contains("SELECT") && upper.contains("INSERT") {
            return Err(RuleError::OtherEngine);
        }
        let mut words = Words::new(text);
        let requests = words.number().ok_or_else(|| words.expected("a number of requests"))?;
        if !words.take_name(&["requests", "request"]) {
            return Err(words.expected("'requests'"));
        }
        if !words.take_name(&["per"]) {
            return Err(words.expected("'per'"));
        }
        let unit_time = words.number().unwrap_or(1);
        let unit_time = u32::try_from(unit_time).map_err(|_| words.expected("a shorter window"))?;
        let at = words.at();
        let time_unit = match words.next()? {
            Some(Word::Name(name)) => TimeUnit::parse(name),
            _ => None,
        };
        let time_unit =
            time_unit.ok_or(RuleError::Expected { expected: "a unit: sec, min, hour, day, week, month, year", at })?;
        let mut limit = Limit::new(Quota::RequestCount { requests }, unit_time, time_unit);
        if words.take_name(&["from"]) {
            if !(words.take_name(&["first"]) && words.take_name(&["request"])) {
                return Err(words.expected("'first request'"));
            }
            limit.window = WindowKind::FirstRequest;
        }
        let condition = if words.take_name(&["when"]) { Some(Expression::parse(&mut words)?) } else { None };
        if !words.is_at_end() {
            return Err(words.expected("'from first request', 'when' or the end"));
        }
        Ok(Self { limit, condition })
    }

    /// Whether the rule counts a call of which these are the facts.
    #[must_use]
    pub fn applies(&self, facts: &dyn Facts) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(facts))
    }
}

#[cfg(test)]
mod tests;
