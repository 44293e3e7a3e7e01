//! The words of a rule's text.

use super::{RuleError, Variable};

/// One word. Strings are what stands between their quotes: there are no escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    Number(u64),
    Name(&'a str),
    Variable(Variable),
    Text(&'a str),
    Equal,
    Unequal,
    Open,
    Close,
    Comma,
}

/// Reads words from left to right.
pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Where the next word starts, in bytes.
    pub(super) fn at(&self) -> usize {
        let rest = self.rest();
        self.at + (rest.len() - rest.trim_start().len())
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().trim().is_empty()
    }

    pub(super) fn expected(&self, expected: &'static str) -> RuleError {
        RuleError::Expected { expected, at: self.at() }
    }

    /// The next word; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Word<'a>>, RuleError> {
        let at = self.at();
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let (word, length) = match first {
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            ',' => (Word::Comma, 1),
            '=' if rest.starts_with("==") => (Word::Equal, 2),
            '!' if rest.starts_with("!=") => (Word::Unequal, 2),
            '"' | '\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = inner
                    .find(first)
                    .ok_or(RuleError::Expected { expected: "a closing quote", at: self.text.len() })?;
                (Word::Text(inner.get(..end).unwrap_or_default()), end + 2)
            }
            '$' => {
                let name = name_of(rest.get(1..).unwrap_or_default());
                let variable =
                    Variable::parse(name).ok_or_else(|| RuleError::UnknownVariable { name: format!("${name}"), at })?;
                (Word::Variable(variable), name.len() + 1)
            }
            '0'..='9' => {
                let digits = name_of(rest);
                let number = digits.parse().map_err(|_| RuleError::Expected { expected: "a number", at })?;
                (Word::Number(number), digits.len())
            }
            _ if first.is_ascii_alphabetic() => {
                let name = name_of(rest);
                (Word::Name(name), name.len())
            }
            _ => return Err(RuleError::Expected { expected: "a word, a quoted text, a variable or a number", at }),
        };
        self.at = at + length;
        Ok(Some(word))
    }

    /// Takes the next word when it is a number.
    pub(super) fn number(&mut self) -> Option<u64> {
        let before = self.at;
        match self.next() {
            Ok(Some(Word::Number(number))) => Some(number),
            _ => {
                self.at = before;
                None
            }
        }
    }

    /// Takes the next word when it is one of these names, in any case.
    pub(super) fn take_name(&mut self, names: &[&str]) -> bool {
        let before = self.at;
        let is_taken =
            matches!(self.next(), Ok(Some(Word::Name(name))) if names.iter().any(|own| own.eq_ignore_ascii_case(name)));
        if !is_taken {
            self.at = before;
        }
        is_taken
    }

    /// Takes the next word when it is this one.
    pub(super) fn take(&mut self, word: Word<'_>) -> bool {
        let before = self.at;
        let is_taken = matches!(self.next(), Ok(Some(own)) if own == word);
        if !is_taken {
            self.at = before;
        }
        is_taken
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
