//! Origins as configurations write them, with `*` for any part.

/// An origin, or a pattern of origins.
#[derive(Debug, Clone)]
pub(super) struct OriginPattern {
    /// What stands between the stars; one part is an exact origin.
    parts: Vec<String>,
}

impl OriginPattern {
    pub(super) fn new(text: &str) -> Self {
        Self { parts: text.split('*').map(str::to_owned).collect() }
    }

    /// A star stands for any text without a slash, which no origin has behind its scheme.
    pub(super) fn matches(&self, origin: &str) -> bool {
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else { return false };
        if self.parts.len() == 1 {
            return first == origin;
        }
        let Some(rest) = origin.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for part in self.parts.get(1..self.parts.len() - 1).unwrap_or_default() {
            let Some((skipped, after)) = rest.split_once(part.as_str()) else { return false };
            if skipped.contains('/') {
                return false;
            }
            rest = after;
        }
        !rest.contains('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_an_origin() {
        for (pattern, origin, is_match) in [
            ("https://a.com", "https://a.com", true),
            ("https://a.com", "https://a.com.evil.org", false),
            ("https://a.com", "http://a.com", false),
            ("https://*.a.com", "https://x.a.com", true),
            ("https://*.a.com", "https://x.y.a.com", true),
            ("https://*.a.com", "https://a.com", false),
            ("https://*.a.com", "https://evil.org/.a.com", false),
            ("https://*.a.com", "https://evil.org?.a.com.b", false),
            ("http://localhost:*", "http://localhost:3000", true),
            ("http://localhost:*", "http://localhost.evil.org:3000", false),
            ("http*://*.a.com:*", "https://x.a.com:8443", true),
            ("https://a*a.com", "https://a.com", false),
            ("", "null", false),
        ] {
            assert_eq!(OriginPattern::new(pattern).matches(origin), is_match, "{pattern} {origin}");
        }
    }
}
