//! A request path as the router reads it, and the tricks that are refused.

use std::borrow::Cow;

/// The path could mean different things to different readers (the answer is 400).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    #[error("the path must start with a slash")]
    NotAbsolute,
    #[error("the path has a control character")]
    ControlCharacter,
    #[error("the path has a backslash")]
    Backslash,
    #[error("the path has a percent sign without two hexadecimal digits")]
    BadEscape,
    #[error("the path has a dot segment")]
    DotSegment,
    #[error("the path has an encoded slash that would change its meaning")]
    EncodedSlash,
}

/// Stands for `%2F` in a view: NUL cannot come from anywhere else.
pub(super) const ENCODED_SLASH: u8 = 0;

/// A path with its percent escapes decoded, whose slashes are those of the raw path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathView<'a> {
    bytes: Cow<'a, [u8]>,
    raw: &'a str,
}

impl<'a> PathView<'a> {
    /// Checks the raw path (without query).
    pub fn parse(raw: &'a str) -> Result<Self, BadPath> {
        if !raw.starts_with('/') {
            return Err(BadPath::NotAbsolute);
        }
        let bytes = if raw.contains('%') { Cow::Owned(decode(raw.as_bytes())?) } else { Cow::Borrowed(raw.as_bytes()) };
        for &byte in bytes.iter() {
            match byte {
                b'\\' => return Err(BadPath::Backslash),
                ENCODED_SLASH => {}
                0x01..=0x1f | 0x7f => return Err(BadPath::ControlCharacter),
                _ => {}
            }
        }
        if bytes.split(|byte| matches!(*byte, b'/' | ENCODED_SLASH)).any(is_dot_segment) {
            return Err(BadPath::DotSegment);
        }
        Ok(Self { bytes, raw })
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The part of the raw path after a context that takes up `context_length` bytes of the view: empty, or with a
    /// leading slash.
    #[must_use]
    pub fn raw_after(&self, context_length: usize) -> &'a str {
        if let Cow::Borrowed(_) = self.bytes {
            return self.raw.get(context_length..).unwrap_or_default();
        }
        let segments = self.bytes.iter().take(context_length).filter(|byte| **byte == b'/').count();
        match self.raw.match_indices('/').nth(segments) {
            Some((offset, _)) => self.raw.get(offset..).unwrap_or_default(),
            None => "",
        }
    }

    /// How a reader sees the path that takes encoded slashes for separators; `None` when there are none.
    pub(crate) fn with_slashes_decoded(&self) -> Option<Vec<u8>> {
        if !self.bytes.contains(&ENCODED_SLASH) {
            return None;
        }
        Some(self.bytes.iter().map(|byte| if *byte == ENCODED_SLASH { b'/' } else { *byte }).collect())
    }
}

/// `.` and `..`, also with the parameters (`..;x`) that some servers cut off.
fn is_dot_segment(segment: &[u8]) -> bool {
    let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
    matches!(name, b"." | b"..")
}

fn decode(raw: &[u8]) -> Result<Vec<u8>, BadPath> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = (bytes.next().and_then(hex_digit), bytes.next().and_then(hex_digit));
        let (Some(high), Some(low)) = (high, low) else { return Err(BadPath::BadEscape) };
        match high << 4 | low {
            0 => return Err(BadPath::ControlCharacter),
            b'/' => decoded.push(ENCODED_SLASH),
            value => decoded.push(value),
        }
    }
    Ok(decoded)
}

pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_encoded_dot_segments_are_refused() {
        let tricks = [
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/..",
            "/.",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/%2e/b",
            "/a/..%2fb",
            "/a%2f..%2fb",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/..%3bx/b",
            "/%2e%2e%2f",
        ];
        for path in tricks {
            assert_eq!(PathView::parse(path), Err(BadPath::DotSegment), "{path}");
        }
    }

    #[test]
    fn backslashes_control_characters_and_broken_escapes_are_refused() {
        for (path, error) in [
            ("/a\\b", BadPath::Backslash),
            ("/a%5cb", BadPath::Backslash),
            ("/a%5Cb", BadPath::Backslash),
            ("/a%00b", BadPath::ControlCharacter),
            ("/a%0d%0ab", BadPath::ControlCharacter),
            ("/a%7f", BadPath::ControlCharacter),
            ("/a%zz", BadPath::BadEscape),
            ("/a%2", BadPath::BadEscape),
            ("/a%", BadPath::BadEscape),
            ("*", BadPath::NotAbsolute),
            ("", BadPath::NotAbsolute),
        ] {
            assert_eq!(PathView::parse(path), Err(error), "{path}");
        }
    }

    #[test]
    fn dots_inside_names_are_names() {
        for path in ["/pizza/1.0.0", "/a/...", "/a/.well-known", "/a/b..c", "/a/%252e%252e/b"] {
            assert!(PathView::parse(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn escapes_are_decoded_for_matching_and_kept_for_forwarding() {
        let view = PathView::parse("/%70izza/1.0.0/caf%C3%A9/a%2Fb").unwrap();
        assert_eq!(view.bytes(), "/pizza/1.0.0/café/a\0b".as_bytes());
        assert_eq!(view.raw_after("/pizza/1.0.0".len()), "/caf%C3%A9/a%2Fb");
        assert_eq!(view.with_slashes_decoded().unwrap(), "/pizza/1.0.0/café/a/b".as_bytes());
        assert_eq!(PathView::parse("/p%69zza").unwrap().raw_after("/pizza".len()), "");
        assert_eq!(PathView::parse("/pizza/x").unwrap().raw_after("/pizza".len()), "/x");
    }
}
