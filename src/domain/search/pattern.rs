//! What a value must look like.

use super::fold;

/// How a value is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// The whole value, as it was written.
    Exact(String),
    /// A part of the folded value.
    Contains(String),
    /// The whole folded value, with anything between the pieces; at least two pieces.
    Wildcard(Vec<String>),
}

impl Pattern {
    /// An unquoted value.
    #[must_use]
    pub fn unquoted(text: &str) -> Self {
        let folded = fold(text);
        if !folded.contains('*') {
            return Self::Contains(folded);
        }
        Self::Wildcard(folded.split('*').map(str::to_owned).collect())
    }

    /// An unquoted text that may stand anywhere in the value.
    #[must_use]
    pub fn part(text: &str) -> Self {
        if text.contains('*') { Self::unquoted(&format!("*{text}*")) } else { Self::unquoted(text) }
    }

    /// What the folded value must be like in SQL, with `\` as escape character.
    #[must_use]
    pub fn as_like(&self) -> String {
        match self {
            Self::Exact(whole) => escaped(&fold(whole)),
            Self::Contains(part) => format!("%{}%", escaped(part)),
            Self::Wildcard(pieces) => pieces.iter().map(|piece| escaped(piece)).collect::<Vec<_>>().join("%"),
        }
    }

    /// The value as it was written, when it is meant whole.
    #[must_use]
    pub fn as_exact(&self) -> Option<&str> {
        match self {
            Self::Exact(whole) => Some(whole),
            Self::Contains(_) | Self::Wildcard(_) => None,
        }
    }

    /// Whether `value` fits. Exact patterns ignore case here; where names may differ in case only, the store compares
    /// them as they are.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let value = fold(value);
        match self {
            Self::Exact(whole) => value == fold(whole),
            Self::Contains(part) => value.contains(part),
            Self::Wildcard(pieces) => fits(pieces, &value),
        }
    }
}

/// First piece at the start, last at the end, the others in order between them.
fn fits(pieces: &[String], value: &str) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return value.is_empty() };
    let Some((last, middle)) = rest.split_last() else { return value == first };
    let Some(mut value) = value.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    for piece in middle {
        match value.find(piece.as_str()) {
            Some(at) => value = value.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
