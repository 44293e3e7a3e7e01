//! HTTP methods that operations can have, as bits.

use std::fmt;

/// A method (RFC 9110 section 9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Trace,
}

impl Verb {
    pub const ALL: [Self; 8] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options, Self::Trace];

    /// Upper case, e.g. `GET`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
        }
    }

    /// Methods are case-sensitive (RFC 9110 section 9.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerbSet(u8);

impl VerbSet {
    #[must_use]
    pub fn contains(self, verb: Verb) -> bool {
        self.0 & verb.bit() != 0
    }

    pub fn insert(&mut self, verb: Verb) {
        self.0 |= verb.bit();
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for VerbSet {
    /// The form of the `Allow` header: `GET, POST`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for verb in Verb::ALL.into_iter().filter(|verb| self.contains(*verb)) {
            write!(f, "{separator}{}", verb.as_str())?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_prints_as_an_allow_header() {
        let mut set = VerbSet::default();
        assert!(set.is_empty());
        set.insert(Verb::Post);
        set.insert(Verb::Get);
        assert_eq!(set.to_string(), "GET, POST");
        assert!(!set.contains(Verb::Delete));
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Verb::parse("GET"), Some(Verb::Get));
        assert_eq!(Verb::parse("get"), None);
    }
}
