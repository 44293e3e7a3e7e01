//! Web pages from which a key may be used, by the `Referer` header (RFC 9110 section 10.1.3).

/// The text is no pattern of referers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no referer like www.example.com/path, www.example.com/* or *.example.com/*")]
pub struct InvalidReferer(pub String);

/// `host/path`, `host/*` or `*.host/*`, with or without a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefererPattern {
    scheme: Option<String>,
    /// In lower case, with its port.
    host: String,
    /// Whether any subdomain of `host` is meant, and not itself.
    is_subdomain: bool,
    /// Empty or with a leading slash, without the star.
    path: String,
    is_open_ended: bool,
}

impl RefererPattern {
    /// # Errors
    /// When the text has no host, or a star elsewhere than at the start of the host or the end of the path.
    pub fn parse(text: &str) -> Result<Self, InvalidReferer> {
        let invalid = || InvalidReferer(text.chars().take(64).collect());
        let (scheme, rest) = split_scheme(text);
        let (host, path) = split_host(rest);
        let (is_subdomain, host) = host.strip_prefix("*.").map_or((false, host), |host| (true, host));
        let (is_open_ended, path) = path.strip_suffix('*').map_or((false, path), |path| (true, path));
        let is_bad = |byte: u8| !byte.is_ascii_graphic() || b"*@,".contains(&byte);
        if host.is_empty() || text.len() > 512 || host.bytes().chain(path.bytes()).any(is_bad) {
            return Err(invalid());
        }
        Ok(Self {
            scheme: scheme.map(str::to_ascii_lowercase),
            host: host.to_ascii_lowercase(),
            is_subdomain,
            path: path.to_owned(),
            is_open_ended,
        })
    }

    /// Whether a page with this `Referer` is meant.
    #[must_use]
    pub fn matches(&self, referer: &str) -> bool {
        let (scheme, rest) = split_scheme(referer);
        if self.scheme.as_ref().is_some_and(|own| !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(own))) {
            return false;
        }
        let (host, path) = split_host(rest);
        let host = host.to_ascii_lowercase();
        // What stands before an @ is a name of a user, whatever it looks like.
        let is_host = !host.contains('@')
            && if self.is_subdomain {
                host.strip_suffix(self.host.as_str()).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.'))
            } else {
                host == self.host
            };
        is_host && self.is_path(if path.is_empty() { "/" } else { path })
    }

    fn is_path(&self, path: &str) -> bool {
        let own = if self.path.is_empty() { "/" } else { self.path.as_str() };
        if self.is_open_ended { path.starts_with(own) } else { path == own }
    }
}

fn split_scheme(text: &str) -> (Option<&str>, &str) {
    text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest))
}

fn split_host(text: &str) -> (&str, &str) {
    let end = text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_match_what_they_name_and_nothing_else() {
        for (pattern, referer, is_match) in [
            ("www.a.com", "https://www.a.com/", true),
            ("www.a.com", "www.a.com", true),
            ("www.a.com", "https://www.a.com/x", false),
            ("www.a.com/path", "https://www.a.com/path", true),
            ("www.a.com/path", "https://www.a.com/path/x", false),
            ("a.com/*", "https://a.com/x/y?z", true),
            ("a.com/*", "https://A.com", true),
            ("a.com/*", "https://b.a.com/x", false),
            ("a.com/*", "https://a.com.evil.org/", false),
            ("a.com/*", "https://evil.org/a.com/", false),
            ("a.com/*", "https://a.com@evil.org/", false),
            ("*.a.com/*", "https://b.a.com/x", true),
            ("*.a.com/*", "https://c.b.a.com", true),
            ("*.a.com/*", "https://a.com/x", false),
            ("*.a.com/*", "https://evila.com/x", false),
            ("*.a.com/*", "https://evil.org?.a.com/x", false),
            ("https://a.com/*", "http://a.com/x", false),
            ("https://a.com/*", "https://a.com/x", true),
        ] {
            assert_eq!(RefererPattern::parse(pattern).unwrap().matches(referer), is_match, "{pattern} {referer}");
        }
    }

    #[test]
    fn other_patterns_are_refused() {
        for bad in ["", "*", "/x", "a.*.com", "a.com/*/b", "a b.com", "*.", "u@a.com"] {
            assert!(RefererPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
