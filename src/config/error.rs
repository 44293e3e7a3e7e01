//! What is wrong with a configuration, with the place and the nearest valid key.

use std::fmt;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// A file, `environment variable NAME`, `flag --name`, or `built-in defaults`.
    pub source: String,
    /// Line in the file, from 1.
    pub line: Option<usize>,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub origin: Origin,
    /// Dotted, e.g. `server.port_offset`; empty when the error is not about one key.
    pub key: String,
    pub reason: String,
    /// The valid key that looks most like the one that was found.
    pub nearest: Option<String>,
}

/// All errors of a configuration, in the order of their places; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl Origin {
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), line: None }
    }
}

impl ConfigError {
    pub(crate) fn new(origin: Origin, key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { origin, key: key.into(), reason: reason.into(), nearest: None }
    }

    /// `key` is not among `valid`, whose names are relative to `parent`.
    pub(crate) fn unknown_key(origin: Origin, parent: &str, key: &str, valid: &[&str]) -> Self {
        let full = join(parent, key);
        Self { nearest: nearest(key, valid).map(|it| join(parent, it)), ..Self::new(origin, full, "unknown key") }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, " (did you mean '{nearest}'?)"))
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} error(s):", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigError {}

impl std::error::Error for ConfigErrors {}

pub(crate) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// The candidate that looks most like `text`, unless none looks like it at all.
pub(crate) fn nearest<'a>(text: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(text, candidate), *candidate))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_printed_with_place_and_nearest_key() {
        let origin = Origin { line: Some(3), ..Origin::new("conf/deployment.toml") };
        let error = ConfigError::unknown_key(origin, "server", "port_ofset", &["bind", "port_offset"]);
        let expected = "conf/deployment.toml:3: server.port_ofset: unknown key (did you mean 'server.port_offset'?)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_key_like_no_other_has_no_nearest_one() {
        assert_eq!(nearest("zzz", &["bind", "port_offset"]), None);
    }
}
