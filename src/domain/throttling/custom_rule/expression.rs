//! When a rule counts a call: comparisons of variables, joined by `and`, `or`, `not` and parentheses.

use std::net::IpAddr;

use super::words::{Word, Words};
use super::{Facts, RuleError, Variable};
use crate::network::IpNetwork;

/// Most comparisons of one expression, texts of lists counted one by one.
pub const COMPARISONS_MAX: usize = 64;

/// Deepest nesting.
pub const DEPTH_MAX: usize = 16;

/// A condition without loops: it takes at most [`COMPARISONS_MAX`] comparisons.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    /// `$userId == "bob@carbon.super"`, `$userId in ("a", "b")`.
    IsOneOf(Variable, Vec<String>),
    /// `$apiContext startswith "/shop/"`.
    StartsWith(Variable, String),
    /// `$clientIp in "10.0.0.0/8"`, `$clientIp == "10.0.0.7"`.
    IsWithin(Vec<IpNetwork>),
}

impl Expression {
    pub(super) fn parse(words: &mut Words<'_>) -> Result<Self, RuleError> {
        Parser { words, comparisons: 0 }.any(0)
    }

    #[must_use]
    pub fn holds(&self, facts: &dyn Facts) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(inner) => !inner.holds(facts),
            Self::IsOneOf(variable, texts) => {
                let own = facts.text(*variable);
                texts.iter().any(|text| *text == own)
            }
            Self::StartsWith(variable, prefix) => facts.text(*variable).starts_with(prefix.as_str()),
            Self::IsWithin(networks) => {
                let client: IpAddr = facts.client();
                networks.iter().any(|network| network.contains(client))
            }
        }
    }
}

struct Parser<'p, 'a> {
    words: &'p mut Words<'a>,
    comparisons: usize,
}

impl Parser<'_, '_> {
    fn any(&mut self, depth: usize) -> Result<Expression, RuleError> {
        let mut parts = vec![self.all(depth)?];
        while self.words.take_name(&["or"]) {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, RuleError> {
        let mut parts = vec![self.unary(depth)?];
        while self.words.take_name(&["and"]) {
            parts.push(self.unary(depth)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn unary(&mut self, depth: usize) -> Result<Expression, RuleError> {
        if depth > DEPTH_MAX {
            return Err(RuleError::TooComplex);
        }
        if self.words.take_name(&["not"]) {
            return Ok(Expression::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.words.take(Word::Open) {
            let inner = self.any(depth + 1)?;
            if !self.words.take(Word::Close) {
                return Err(self.words.expected("')'"));
            }
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, RuleError> {
        let at = self.words.at();
        let Some(Word::Variable(variable)) = self.words.next()? else {
            return Err(RuleError::Expected { expected: "a variable such as $userId, 'not' or '('", at });
        };
        if self.words.take(Word::Equal) {
            let text = self.text()?;
            return self.one_of(variable, vec![text]);
        }
        if self.words.take(Word::Unequal) {
            let text = self.text()?;
            return Ok(Expression::Not(Box::new(self.one_of(variable, vec![text])?)));
        }
        if self.words.take_name(&["in"]) {
            let texts = self.texts()?;
            return self.one_of(variable, texts);
        }
        if variable != Variable::ClientIp && self.words.take_name(&["startswith"]) {
            let (_, prefix) = self.text()?;
            return Ok(Expression::StartsWith(variable, prefix));
        }
        Err(self.words.expected("'==', '!=', 'in' or 'startswith'"))
    }

    /// `"a"` or `("a", "b")`, each with its place.
    fn texts(&mut self) -> Result<Vec<(usize, String)>, RuleError> {
        if !self.words.take(Word::Open) {
            return Ok(vec![self.text()?]);
        }
        let mut texts = vec![self.text()?];
        while self.words.take(Word::Comma) {
            texts.push(self.text()?);
        }
        if self.words.take(Word::Close) { Ok(texts) } else { Err(self.words.expected("',' or ')'")) }
    }

    fn text(&mut self) -> Result<(usize, String), RuleError> {
        self.comparisons += 1;
        if self.comparisons > COMPARISONS_MAX {
            return Err(RuleError::TooComplex);
        }
        let at = self.words.at();
        match self.words.next()? {
            Some(Word::Text(text)) => Ok((at, text.to_owned())),
            _ => Err(RuleError::Expected { expected: "a text in quotes", at }),
        }
    }

    /// Addresses are compared as such, not as texts.
    fn one_of(&self, variable: Variable, texts: Vec<(usize, String)>) -> Result<Expression, RuleError> {
        if variable != Variable::ClientIp {
            return Ok(Expression::IsOneOf(variable, texts.into_iter().map(|(_, text)| text).collect()));
        }
        let network = |(at, text): (usize, String)| {
            IpNetwork::parse(&text)
                .map_err(|_| RuleError::Expected { expected: "an address or a network like 10.0.0.0/8", at })
        };
        texts.into_iter().map(network).collect::<Result<_, _>>().map(Expression::IsWithin)
    }
}

fn one_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}
