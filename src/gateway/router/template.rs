//! URI templates of operations: literal segments, `{parameters}`, mixtures of both, and a trailing `/*`.

use super::path::hex_digit;

/// Most segments of a template; a limit on how deep a tree can get.
const SEGMENTS_MAX: usize = 64;

/// The template cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    #[error("template '{0}' must start with a slash")]
    NotAbsolute(String),
    #[error("template '{0}' has braces that do not pair")]
    Braces(String),
    #[error("template '{0}' has a percent sign without two hexadecimal digits")]
    BadEscape(String),
    #[error("template '{0}' has more than {SEGMENTS_MAX} segments")]
    TooDeep(String),
}

/// A parsed template. Names of parameters are gone: they make no difference to what a template matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub segments: Vec<Segment>,
    /// Whether everything below matches too (`/*`, `/{path*}`, `/{+path}`).
    pub open_ended: bool,
}

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(Box<[u8]>),
    Mixed(Mixed),
    Parameter,
}

/// Text and parameters in one segment, e.g. `{id}.json` or `v{major}-{minor}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mixed {
    /// Texts around the parameters: one more than there are parameters, the first and the last may be empty.
    texts: Vec<Box<[u8]>>,
}

/// A piece of a segment while it is parsed.
enum Piece {
    Text(Vec<u8>),
    Parameter,
}

impl Template {
    pub fn parse(target: &str) -> Result<Self, InvalidTemplate> {
        let target = if target.is_empty() { "/" } else { target };
        let target = if target == "*" { "/*" } else { target };
        let Some(path) = target.strip_prefix('/') else { return Err(InvalidTemplate::NotAbsolute(target.to_owned())) };
        let mut template = Self { segments: Vec::new(), open_ended: false };
        if path.is_empty() {
            return Ok(template);
        }
        let texts: Vec<&str> = path.split('/').collect();
        if texts.len() > SEGMENTS_MAX {
            return Err(InvalidTemplate::TooDeep(target.to_owned()));
        }
        for (index, text) in texts.iter().enumerate() {
            if index + 1 == texts.len() && is_open_end(text) {
                template.open_ended = true;
            } else {
                template.segments.push(Segment::parse(text, target)?);
            }
        }
        Ok(template)
    }
}

/// `*`, and the expansions of RFC 6570 that take slashes: `{+path}` and `{path*}`.
fn is_open_end(text: &str) -> bool {
    let parameter = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    text == "*" || parameter.is_some_and(|name| name.starts_with('+') || name.ends_with('*'))
}

impl Segment {
    fn parse(text: &str, target: &str) -> Result<Self, InvalidTemplate> {
        let pieces = pieces(text, target)?;
        let parameters = pieces.iter().filter(|piece| matches!(piece, Piece::Parameter)).count();
        if parameters == 0 {
            let literal = pieces.into_iter().find_map(|piece| match piece {
                Piece::Text(text) => Some(text),
                Piece::Parameter => None,
            });
            return Ok(Self::Literal(literal.unwrap_or_default().into()));
        }
        if pieces.len() == 1 {
            return Ok(Self::Parameter);
        }
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        for piece in pieces {
            match (piece, texts.last_mut()) {
                (Piece::Text(text), Some(last)) => *last = text,
                _ => texts.push(Vec::new()),
            }
        }
        Ok(Self::Mixed(Mixed { texts: texts.into_iter().map(Vec::into_boxed_slice).collect() }))
    }
}

/// Splits a segment; a bare `*` in it counts as a parameter, and parameters without text between them as one.
fn pieces(text: &str, target: &str) -> Result<Vec<Piece>, InvalidTemplate> {
    let braces = || InvalidTemplate::Braces(target.to_owned());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (is_parameter, end) = match first {
            '{' => (true, rest.find('}').ok_or_else(braces)? + 1),
            '*' => (true, 1),
            '}' => return Err(braces()),
            _ => (false, rest.find(['{', '}', '*']).unwrap_or(rest.len())),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        if !is_parameter {
            pieces.push(Piece::Text(decode(piece).ok_or_else(|| InvalidTemplate::BadEscape(target.to_owned()))?));
        } else if piece.chars().skip(1).any(|c| c == '{') || piece == "{}" {
            return Err(braces());
        } else if !matches!(pieces.last(), Some(Piece::Parameter)) {
            pieces.push(Piece::Parameter);
        }
    }
    Ok(pieces)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            decoded.push(hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

impl Mixed {
    /// Bytes of text: the more, the more specific.
    pub fn text_length(&self) -> usize {
        self.texts.iter().map(|text| text.len()).sum()
    }

    /// Whether the segment fits, each parameter taking at least one byte.
    pub fn matches(&self, segment: &[u8]) -> bool {
        let [first, middle @ .., last] = self.texts.as_slice() else { return false };
        let Some(mut rest) = segment.strip_prefix(&**first) else { return false };
        for text in middle {
            // The leftmost place leaves the most for what follows.
            match find_after_one_byte(rest, text) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.strip_suffix(&**last).is_some_and(|value| !value.is_empty())
    }
}

/// What follows `text` in `bytes` when at least one byte stands before it.
fn find_after_one_byte<'a>(bytes: &'a [u8], text: &[u8]) -> Option<&'a [u8]> {
    let start = bytes.get(1..)?.windows(text.len().max(1)).position(|window| window == text)? + 1;
    bytes.get(start + text.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(text: &str) -> Mixed {
        match Template::parse(&format!("/{text}")).unwrap().segments.pop() {
            Some(Segment::Mixed(mixed)) => mixed,
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn text_and_parameters_share_a_segment() {
        for (template, segment, expected) in [
            ("{id}.json", "42.json", true),
            ("{id}.json", ".json", false),
            ("{id}.json", "42.xml", false),
            ("{id}.json", "a.json.json", true),
            ("{id}:activate", "7:activate", true),
            ("{id}:activate", "7", false),
            ("v{major}-{minor}", "v1-2", true),
            ("v{major}-{minor}", "v1-", false),
            ("v{major}-{minor}", "v-1-2", true),
            ("v{major}-{minor}", "v--", false),
            ("{a}-{b}-{c}", "1-2-3", true),
            ("{a}-{b}-{c}", "1-2", false),
            ("a*c", "abc", true),
            ("{x},{y}", "1,2", true),
        ] {
            assert_eq!(mixed(template).matches(segment.as_bytes()), expected, "{template} on {segment}");
        }
    }

    #[test]
    fn what_ends_in_a_star_is_open_ended() {
        for target in ["/*", "*", "/a/*", "/a/{path*}", "/a/{+path}"] {
            assert!(Template::parse(target).unwrap().open_ended, "{target}");
        }
        assert!(!Template::parse("/a/{id}").unwrap().open_ended);
    }

    #[test]
    fn literals_are_compared_decoded() {
        let template = Template::parse("/caf%C3%A9").unwrap();
        assert_eq!(template, Template::parse("/café").unwrap());
    }

    #[test]
    fn broken_templates_are_refused() {
        for target in ["a", "/{a", "/a}", "/{a{b}}", "/{}", "/%z1"] {
            assert!(Template::parse(target).is_err(), "{target}");
        }
        assert!(Template::parse(&"/a".repeat(65)).is_err());
    }
}
