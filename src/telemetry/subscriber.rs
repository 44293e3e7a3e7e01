//! The process-wide log output: pretty lines for a terminal, JSON for machines.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    Pretty,
    Json,
}

/// Logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is no filter, e.g. `info` or `info,gateway=debug`.
    #[error("'{text}' is no log level or filter")]
    Filter {
        text: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("logs are already set up in this process")]
    AlreadySet(#[source] tracing_subscriber::util::TryInitError),
}

/// Checks a level or filter without using it.
///
/// # Errors
/// [`LogError::Filter`] when the text is none.
pub fn check_filter(text: &str) -> Result<(), LogError> {
    parse_filter(text).map(|_| ())
}

/// Sends the logs of this process to standard error from now on.
///
/// # Errors
/// When the filter is wrong or logs are set up already.
pub fn install(format: Format, filter: &str) -> Result<(), LogError> {
    use tracing_subscriber::util::SubscriberInitExt;

    let builder = tracing_subscriber::fmt()
        .with_env_filter(parse_filter(filter)?)
        .with_writer(stderr)
        // Its way of telling that a line cannot be written panics when standard error itself fails, as on a full disk.
        .log_internal_errors(false)
        .with_span_events(FmtSpan::NONE);
    let json = match format {
        Format::Json => true,
        Format::Pretty => false,
        Format::Auto => !stderr().is_terminal(),
    };
    if json {
        return builder
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .finish()
            .try_init()
            .map_err(LogError::AlreadySet);
    }
    builder.with_ansi(stderr().is_terminal()).finish().try_init().map_err(LogError::AlreadySet)
}

/// Libraries that tell at `info` and below what only their authors want to know; a filter that names them wins.
const QUIET: &str = "actix_server=warn,actix_http=info,h2=info,hyper=info,rustls=info";

fn parse_filter(text: &str) -> Result<EnvFilter, LogError> {
    let parsed = EnvFilter::builder().parse(format!("{QUIET},{text}"));
    parsed.map_err(|source| LogError::Filter { text: text.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_taken() {
        for text in ["info", "warn,gateway=debug", "error"] {
            check_filter(text).unwrap();
        }
    }

    #[test]
    fn a_wrong_filter_is_refused_with_its_text() {
        let error = check_filter("gateway=loud").unwrap_err();
        assert_eq!(error.to_string(), "'gateway=loud' is no log level or filter");
    }
}
