//! One line out of an error and all its sources.

use std::error::Error;
use std::fmt;

/// Prints an error and its sources as `outer: inner: innermost`, for the one place where the error is logged.
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("'{path}' cannot be read")]
    struct Unreadable {
        path: &'static str,
        #[source]
        source: std::io::Error,
    }

    #[test]
    fn sources_follow_their_error() {
        let error = Unreadable { path: "a.toml", source: std::io::Error::other("disk on fire") };
        assert_eq!(ErrorChain(&error).to_string(), "'a.toml' cannot be read: disk on fire");
    }
}
