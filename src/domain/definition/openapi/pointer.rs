//! JSON pointers (RFC 6901) and references inside one document.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Longest chain of references that is followed; also what ends a cycle.
const HOPS_MAX: usize = 32;

/// `pointer` with one more token, escaped.
pub(super) fn join(pointer: &str, token: &str) -> String {
    let token = if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    };
    format!("{pointer}/{token}")
}

/// Where a reference leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target<'a> {
    Value(&'a Value),
    /// Another document; never fetched.
    External,
    /// Nothing is there.
    Missing,
    /// It leads back to itself.
    Cyclic,
    /// A plain-name fragment (`#name`), which JSON Schema resolves by `$anchor`.
    Anchor,
}

/// The reference that `value` is, if it is one.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.as_object()?.get("$ref")?.as_str()
}

/// One step: what `reference` names.
pub(super) fn lookup<'a>(root: &'a Value, reference: &str) -> Target<'a> {
    let Some(fragment) = reference.strip_prefix('#') else { return Target::External };
    let fragment = percent_decode_str(fragment).decode_utf8_lossy();
    if fragment.is_empty() {
        return Target::Value(root);
    }
    if !fragment.starts_with('/') {
        return Target::Anchor;
    }
    root.pointer(&fragment).map_or(Target::Missing, Target::Value)
}

/// `value` itself, or what it refers to in the end.
pub(super) fn resolve<'a>(root: &'a Value, value: &'a Value) -> Target<'a> {
    let mut value = value;
    for _ in 0..HOPS_MAX {
        let Some(reference) = reference(value) else { return Target::Value(value) };
        match lookup(root, reference) {
            Target::Value(next) => value = next,
            other => return other,
        }
    }
    Target::Cyclic
}

/// As [`resolve`], for readers of a document that passed all checks.
pub(super) fn resolved<'a>(root: &'a Value, value: &'a Value) -> Option<&'a Value> {
    match resolve(root, value) {
        Target::Value(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn escaped_tokens_and_percent_encoding_are_understood() {
        let root = json!({"paths": {"/a/{b}": {"x": 1}}, "a~b": 2});
        assert_eq!(lookup(&root, "#/paths/~1a~1{b}/x"), Target::Value(&json!(1)));
        assert_eq!(lookup(&root, "#/paths/~1a~1%7Bb%7D/x"), Target::Value(&json!(1)));
        assert_eq!(lookup(&root, "#/a~0b"), Target::Value(&json!(2)));
        assert_eq!(join("/paths", "/a/{b}"), "/paths/~1a~1{b}");
    }

    #[test]
    fn a_cycle_ends() {
        let root = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        assert_eq!(resolve(&root, &root["a"]), Target::Cyclic);
    }

    #[test]
    fn other_documents_are_not_followed() {
        let root = json!({});
        for reference in ["other.yaml#/a", "http://127.0.0.1/x.json", "file:///etc/passwd", ""] {
            assert_eq!(lookup(&root, reference), Target::External, "{reference}");
        }
    }
}
