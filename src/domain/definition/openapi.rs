//! OpenAPI 2.0, 3.0 and 3.1: reading what users upload, and the two documents that are shown instead of it.
//!
//! Everything here is pure. References to other documents are never followed: where one would hide operations the
//! definition is refused, elsewhere it becomes a warning. Entry points: [`parse`], [`publisher_view`],
//! [`devportal_view`].

mod document;
mod generate;
mod pointer;
mod read;
mod template;
mod validate;
mod view;

use std::fmt;

use serde_json::Value;

use crate::api::{ApiScope, AuthType, Operation};
use crate::throttling::policy::UNLIMITED;

pub(super) use document::read as read_document;
pub use view::{devportal_view, publisher_view};

/// Most errors and most warnings that one document gets; the rest is not reported.
pub const FINDINGS_MAX: usize = 100;

/// What a document may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the document in bytes.
    pub bytes_max: usize,
    /// Levels of nested objects and arrays. The YAML reader takes some 20 KiB of stack for each in a debug build, and
    /// worker threads have 2 MiB.
    pub depth_max: usize,
    /// Values in all, counted after YAML aliases are expanded.
    pub nodes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 32 << 20, depth_max: 64, nodes_max: 500_000 }
    }
}

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if pointer.is_empty() { "/" } else { pointer })]
pub struct DefinitionError {
    /// RFC 6901 JSON pointer to the place, empty for the whole document (syntax errors name line and column instead).
    pub pointer: String,
    pub message: String,
}

impl DefinitionError {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// The specifications that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// "Swagger" 2.0.
    V2,
    V3_0,
    V3_1,
}

/// Which specification a document follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecVersion {
    pub generation: Generation,
    /// As the document spells it, e.g. `3.0.3`.
    pub text: String,
}

impl fmt::Display for SpecVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The `info` object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Info {
    pub title: String,
    pub version: String,
    pub description: Option<String>,
}

/// One verb on one path as the document has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedOperation {
    /// Upper case, e.g. `GET`.
    pub verb: String,
    /// The path template, e.g. `/menu/{id}`.
    pub target: String,
    /// Scopes of which a token needs one, from `security` over OAuth2 schemes and from `x-scope`.
    pub scopes: Vec<String>,
    /// `x-auth-type`. An empty `security` says what the back end asks for and so never opens the operation.
    pub auth: Option<AuthType>,
    /// `x-throttling-tier`.
    pub throttling_policy: Option<String>,
    pub summary: Option<String>,
}

impl ParsedOperation {
    /// The operation that a new API gets: any token, not limited, unless the document says otherwise.
    #[must_use]
    pub fn to_operation(&self) -> Operation {
        Operation {
            verb: self.verb.clone(),
            target: self.target.clone(),
            auth: self.auth.unwrap_or_default(),
            throttling_policy: self.throttling_policy.clone().unwrap_or_else(|| UNLIMITED.to_owned()),
            scopes: self.scopes.clone(),
            other: serde_json::Map::new(),
        }
    }
}

/// Root keys with which WSO2 carries settings of the API inside its definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wso2Extensions {
    /// `x-wso2-basePath`, e.g. `/pizza/1.0.0`.
    pub base_path: Option<String>,
    /// `x-wso2-production-endpoints.urls`.
    pub production_endpoints: Vec<String>,
    /// `x-wso2-sandbox-endpoints.urls`.
    pub sandbox_endpoints: Vec<String>,
    /// `x-wso2-auth-header`.
    pub authorization_header: Option<String>,
    /// `x-wso2-transports`.
    pub transports: Vec<String>,
    /// `x-throttling-tier`.
    pub throttling_policy: Option<String>,
}

/// A definition that passed all checks.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenApi {
    pub kind: SpecVersion,
    pub info: Info,
    /// The whole document; keys keep their order, keys such as `200` are strings.
    pub document: Value,
    /// In the order of the document.
    pub operations: Vec<ParsedOperation>,
    /// What the OAuth2 schemes define, each scope once.
    pub scopes: Vec<ApiScope>,
    /// URLs of the back ends, absolute or relative as the document has them, with variables at their defaults.
    pub servers: Vec<String>,
    /// `x-wso2-basePath`, else `basePath` (2.0), else the path of the first server; without a trailing slash.
    pub base_path: Option<String>,
    pub extensions: Wso2Extensions,
    /// What is odd but harmless, e.g. references to other documents.
    pub warnings: Vec<DefinitionError>,
}

/// Reads and checks a definition in JSON or YAML within the default [`Limits`].
///
/// # Errors
/// Everything that is wrong with it, at most [`FINDINGS_MAX`] entries and at least one.
pub fn parse(bytes: &[u8]) -> Result<OpenApi, Vec<DefinitionError>> {
    parse_within(bytes, &Limits::default())
}

/// Reads and checks a definition in JSON or YAML.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<OpenApi, Vec<DefinitionError>> {
    let document = document::read(bytes, limits).map_err(|error| vec![error])?;
    let kind = read::spec_version(&document).map_err(|error| vec![error])?;
    let findings = validate::validate(&document, kind.generation);
    if !findings.errors.is_empty() {
        return Err(findings.errors);
    }
    Ok(read::open_api(kind, document, findings.warnings))
}

#[cfg(test)]
mod tests;
