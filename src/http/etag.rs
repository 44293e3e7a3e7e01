//! Entity tags and conditional requests (RFC 9110 sections 8.8.3 and 13.1).

use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};

use crate::problem::Problem;

/// Most tags of a header that are looked at.
const TAGS_MAX: usize = 32;

/// The entity tag of a row: its version, as `"7"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag(pub i64);

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// `If-Match` of a change. Compared strongly: a weak tag never fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Condition);

/// `If-None-Match` of a read. Compared weakly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Condition);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Absent,
    /// `*`
    Any,
    OneOf(Vec<Tag>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    /// `None` for a tag that this server never made.
    version: Option<i64>,
    weak: bool,
}

impl IfMatch {
    /// The row versions that the change may be based on; `None` when the caller set no condition. A use case compares
    /// them in the transaction that writes. An empty list fits nothing.
    #[must_use]
    pub fn versions(&self) -> Option<Vec<i64>> {
        match &self.0 {
            // `*` asks that the resource exists, which the change needs anyway.
            Condition::Absent | Condition::Any => None,
            Condition::OneOf(tags) => Some(tags.iter().filter(|tag| !tag.weak).filter_map(|tag| tag.version).collect()),
        }
    }

    #[must_use]
    pub fn allows(&self, row_version: i64) -> bool {
        self.versions().is_none_or(|versions| versions.contains(&row_version))
    }

    /// # Errors
    /// 412 when the row has another version than the caller read.
    pub fn check(&self, row_version: i64) -> Result<(), Problem> {
        if self.allows(row_version) { Ok(()) } else { Err(Problem::stale()) }
    }
}

impl IfNoneMatch {
    /// Whether the caller has this version already (the answer is 304).
    #[must_use]
    pub fn has(&self, row_version: i64) -> bool {
        match &self.0 {
            Condition::Absent => false,
            Condition::Any => true,
            Condition::OneOf(tags) => tags.iter().any(|tag| tag.version == Some(row_version)),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read(request, &IF_MATCH).map(Self))
    }
}

impl FromRequest for IfNoneMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read(request, &IF_NONE_MATCH).map(Self))
    }
}

fn read(request: &HttpRequest, name: &HeaderName) -> Result<Condition, Problem> {
    let mut tags = Vec::new();
    let mut present = false;
    for value in request.headers().get_all(name) {
        let text = value.to_str().map_err(|_| Problem::invalid(name.as_str(), "no entity tag"))?;
        match parse(text).ok_or_else(|| Problem::invalid(name.as_str(), "no entity tag (example: \"7\")"))? {
            Condition::Absent => {}
            Condition::Any => return Ok(Condition::Any),
            Condition::OneOf(more) => {
                present = true;
                tags.extend(more);
            }
        }
    }
    tags.truncate(TAGS_MAX);
    Ok(if present { Condition::OneOf(tags) } else { Condition::Absent })
}

/// `*`, or a list of tags; tags without quotes are taken too, because clients send them. Empty text is no condition.
fn parse(text: &str) -> Option<Condition> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Condition::Absent);
    }
    if text == "*" {
        return Some(Condition::Any);
    }
    let mut tags = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (weak, item) = item.strip_prefix("W/").map_or((false, item), |rest| (true, rest));
        let inner = match item.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"')?,
            None => item,
        };
        if inner.contains('"') {
            return None;
        }
        tags.push(Tag { version: inner.parse().ok(), weak });
    }
    Some(Condition::OneOf(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(text: &str) -> IfMatch {
        IfMatch(parse(text).unwrap())
    }

    #[test]
    fn a_change_without_condition_is_always_allowed() {
        assert!(if_match("").allows(3));
        assert!(if_match("*").allows(3));
    }

    #[test]
    fn a_change_with_a_stale_weak_or_foreign_tag_is_refused() {
        assert!(if_match("\"3\"").allows(3));
        assert!(if_match("\"2\", \"3\"").allows(3));
        assert!(if_match("3").allows(3));
        for text in ["\"2\"", "W/\"3\"", "\"abc\"", ","] {
            assert_eq!(if_match(text).check(3).unwrap_err().code().status, 412, "{text}");
        }
    }

    #[test]
    fn a_read_compares_weakly() {
        let fresh = |text: &str| IfNoneMatch(parse(text).unwrap()).has(3);
        assert!(fresh("\"3\"") && fresh("W/\"3\"") && fresh("*") && fresh(&EntityTag(3).to_string()));
        assert!(!fresh("\"2\"") && !fresh(""));
    }

    #[test]
    fn broken_quotes_are_no_tag() {
        assert_eq!(parse("\"3"), None);
        assert_eq!(parse("\"3\"4\""), None);
    }
}
