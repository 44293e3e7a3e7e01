//! The query language of lists and searches (WSO2 `query=`): `key:value` terms and bare words.
//!
//! Different keys must all hold, a repeated key may hold with any of its values. A value in quotes and every
//! label (tag, status, type, ..) is meant whole, `*` stands for anything, everything else is a part. What a word without
//! a key means depends on who asks: see [`Bare`].

mod parse;
mod pattern;
#[cfg(test)]
mod tests;

use std::fmt;

pub use parse::InvalidQuery;
pub use pattern::Pattern;

/// Longest query, in characters.
pub const QUERY_CHARS_MAX: usize = 1000;
/// Most values that one key may have.
pub const ALTERNATIVES_MAX: usize = 6;
/// Most terms of a query.
pub const TERMS_MAX: usize = 20;

/// A parsed query; the default one matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    terms: Vec<Term>,
}

/// One key with all values that were asked for: any of them is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub key: Key,
    pub patterns: Vec<Pattern>,
}

/// What a word without a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// In lists it belongs to the value before it; at the start or after quotes it is a part of the name.
    Name,
    /// In searches every such word must stand in the name, a tag or the description, except after `content:`, whose
    /// value goes on.
    Anywhere,
}

/// What a term looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Name,
    DisplayName,
    Version,
    Context,
    Status,
    Description,
    /// Documents of an API.
    Document,
    Provider,
    Tag,
    Category,
    Vendor,
    /// Whatever stands in an API: name, context, description, tags, operations.
    Content,
    /// A word without a key: name, tags and description. No spelling of a key means it.
    Word,
    Type,
    /// A custom property by its folded name.
    Property(String),
}

impl Key {
    /// Takes the spellings of both planes; every other word names a custom property.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let folded = fold(text);
        match folded.as_str() {
            "name" => Self::Name,
            "display-name" | "displayname" => Self::DisplayName,
            "version" => Self::Version,
            "context" => Self::Context,
            "status" | "lcstate" => Self::Status,
            "description" => Self::Description,
            "doc" => Self::Document,
            "provider" => Self::Provider,
            "tag" | "tags" => Self::Tag,
            "api-category" => Self::Category,
            "vendor" => Self::Vendor,
            "content" => Self::Content,
            "type" => Self::Type,
            _ => Self::Property(folded),
        }
    }

    /// Whether values are labels, which are meant whole also without quotes: `tag:pet` does not find `petstore`.
    #[must_use]
    pub fn is_label(&self) -> bool {
        matches!(self, Self::Status | Self::Tag | Self::Category | Self::Vendor | Self::Type)
    }

    /// The word under which values of this key are indexed, one per key.
    #[must_use]
    pub fn as_index_key(&self) -> String {
        match self {
            Self::Property(name) => format!("property:{name}"),
            _ => self.to_string(),
        }
    }

    /// The words of the index under which a value of this key may stand.
    #[must_use]
    pub fn index_keys(&self) -> Vec<String> {
        match self {
            Self::Word => [Self::Name, Self::Tag, Self::Description].iter().map(Self::as_index_key).collect(),
            _ => vec![self.as_index_key()],
        }
    }
}

/// As a query spells it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::DisplayName => "display-name",
            Self::Version => "version",
            Self::Context => "context",
            Self::Status => "status",
            Self::Description => "description",
            Self::Document => "doc",
            Self::Provider => "provider",
            Self::Tag => "tag",
            Self::Category => "api-category",
            Self::Vendor => "vendor",
            Self::Content => "content",
            Self::Word => "word",
            Self::Type => "type",
            Self::Property(name) => name,
        })
    }
}

impl Query {
    /// # Errors
    /// When the text is too long, has too many terms, a key without a value, quotes without an end, or control
    /// characters.
    pub fn parse(text: &str) -> Result<Self, InvalidQuery> {
        parse::query(text, Bare::Name)
    }

    /// The query of a search over everything, in which words without a key are looked for anywhere.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_search(text: &str) -> Result<Self, InvalidQuery> {
        parse::query(text, Bare::Anywhere)
    }

    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The patterns of `key`, when the query has any.
    #[must_use]
    pub fn patterns(&self, key: &Key) -> Option<&[Pattern]> {
        self.terms.iter().find(|term| term.key == *key).map(|term| term.patterns.as_slice())
    }

    /// # Errors
    /// When the query has a term of one of `keys`, which the caller's list does not know.
    pub fn without(self, keys: &[Key]) -> Result<Self, InvalidQuery> {
        match self.terms.iter().find(|term| keys.contains(&term.key)) {
            Some(term) => Err(InvalidQuery::UnknownKey(term.key.to_string())),
            None => Ok(self),
        }
    }

    /// Whether `value` is what the query wants for `key`; without such a term every value is.
    #[must_use]
    pub fn accepts(&self, key: &Key, value: &str) -> bool {
        self.patterns(key).is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(value)))
    }

    fn add(&mut self, key: Key, pattern: Pattern) {
        // Words must all be found; of a repeated key one value is enough.
        match self.terms.iter_mut().find(|term| term.key == key && key != Key::Word) {
            Some(term) => term.patterns.push(pattern),
            None => self.terms.push(Term { key, patterns: vec![pattern] }),
        }
    }
}

/// The form in which values are compared: lower case, and no control characters, which databases do not all take.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
