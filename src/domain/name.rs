//! Strings that have rules, parsed once at the edge.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a name is refused; the message names the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct InvalidName {
    /// The wire name of the field, e.g. `context`.
    pub field: &'static str,
    /// What is wrong and how to mend it.
    pub rule: String,
}

fn invalid(field: &'static str, rule: impl Into<String>) -> InvalidName {
    InvalidName { field, rule: rule.into() }
}

/// The tenant domain that a row belongs to (WSO2's `organization`), e.g. `carbon.super`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Organization(String);

impl Organization {
    /// The domain of the super tenant.
    pub const SUPER: &'static str = "carbon.super";

    #[must_use]
    pub fn super_tenant() -> Self {
        Self(Self::SUPER.to_owned())
    }

    /// Takes a domain that was checked when the tenant was made (rows, signed tokens).
    #[must_use]
    pub fn from_trusted(domain: String) -> Self {
        Self(domain)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_super(&self) -> bool {
        self.0 == Self::SUPER
    }
}

impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Longest accepted API name, version and application name, in characters.
const NAME_CHARS_MAX: usize = 60;
const VERSION_CHARS_MAX: usize = 30;
const CONTEXT_CHARS_MAX: usize = 200;

/// An API's name (WSO2 `API.name`): 1 to 60 characters, none of `~!@#;%^*()+={}|\<>"',&$[]/`, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiName(String);

impl ApiName {
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        check_length("name", text, NAME_CHARS_MAX)?;
        if let Some(c) = text.chars().find(|c| c.is_control() || "~!@#;%^*()+={}|\\<>\"',&$[]/".contains(*c)) {
            return Err(invalid("name", format!("must not contain {c:?}")));
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An API's version (WSO2 `API.version`): 1 to 30 of letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiVersion(String);

impl ApiVersion {
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        check_length("version", text, VERSION_CHARS_MAX)?;
        if let Some(c) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-".contains(*c))) {
            return Err(invalid("version", format!("must not contain {c:?}: use letters, digits, '.', '_' and '-'")));
        }
        if text.chars().all(|c| c == '.') {
            return Err(invalid("version", "must not be a dot segment"));
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An API's context as its owner wrote it, with a leading slash and without the version, e.g. `/pizza` or
/// `/{version}/pizza` (WSO2 `API.context`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiContext(String);

impl ApiContext {
    /// Placeholder for the version inside a context.
    pub const VERSION_PLACEHOLDER: &'static str = "{version}";

    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim().trim_end_matches('/');
        let text = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
        check_length("context", text.trim_start_matches('/'), CONTEXT_CHARS_MAX)?;
        for segment in text.split('/').skip(1) {
            if segment == Self::VERSION_PLACEHOLDER {
                continue;
            }
            if segment.is_empty() {
                return Err(invalid("context", "must not contain an empty segment ('//')"));
            }
            if segment.chars().all(|c| c == '.') {
                return Err(invalid("context", "must not contain a dot segment ('.' or '..')"));
            }
            if let Some(c) = segment.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-~".contains(*c))) {
                return Err(invalid(
                    "context",
                    format!("must not contain {c:?}: use letters, digits, '.', '_', '-', '~'"),
                ));
            }
        }
        if text == format!("/{}", Self::VERSION_PLACEHOLDER) {
            return Err(invalid("context", "must have a segment beside {version}"));
        }
        if text == "/t" || (text.starts_with("/t/") && text.split('/').count() < 4) {
            return Err(invalid("context", "must not start with '/t': that prefix addresses tenants"));
        }
        Ok(Self(text))
    }

    /// The context without `/t/<tenant>` before it, which is accepted when it names the tenant of the API.
    pub fn within(self, organization: &Organization) -> Result<Self, InvalidName> {
        let Some(rest) = self.0.strip_prefix("/t/") else { return Ok(self) };
        let own =
            rest.split_once('/').filter(|(domain, _)| !organization.is_super() && *domain == organization.as_str());
        let context =
            own.map(|(_, path)| Self::parse(path)).transpose()?.filter(|context| !context.0.starts_with("/t/"));
        context.ok_or_else(|| invalid("context", "must not start with '/t/' and the domain of another tenant"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path under which a gateway serves `version` of the API: the version stands at `{version}`, else at the end.
    #[must_use]
    pub fn with_version(&self, version: &ApiVersion) -> String {
        if self.0.contains(Self::VERSION_PLACEHOLDER) {
            return self.0.replace(Self::VERSION_PLACEHOLDER, version.as_str());
        }
        format!("{}/{}", self.0, version.as_str())
    }

    /// The path of the default version: the context without any version.
    #[must_use]
    pub fn without_version(&self) -> String {
        self.0.replace(&format!("/{}", Self::VERSION_PLACEHOLDER), "")
    }
}

fn check_length(field: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    let length = text.chars().count();
    if length == 0 {
        return Err(invalid(field, "must not be empty"));
    }
    if length > max {
        return Err(invalid(field, format!("has {length} characters, at most {max} are allowed")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_gets_its_leading_slash_and_loses_the_trailing_one() {
        assert_eq!(ApiContext::parse("pizza/").unwrap().as_str(), "/pizza");
    }

    #[test]
    fn the_version_goes_to_its_placeholder_or_to_the_end() {
        let version = ApiVersion::parse("1.0.0").unwrap();
        assert_eq!(ApiContext::parse("/pizza").unwrap().with_version(&version), "/pizza/1.0.0");
        let placed = ApiContext::parse("/api/{version}/dev").unwrap();
        assert_eq!(placed.with_version(&version), "/api/1.0.0/dev");
        assert_eq!(placed.without_version(), "/api/dev");
    }

    #[test]
    fn a_context_may_name_its_own_tenant_and_no_other() {
        let tenant = Organization::from_trusted("one.example".to_owned());
        let within = |text: &str, organization: &Organization| {
            ApiContext::parse(text).and_then(|context| context.within(organization)).map(|context| context.0)
        };
        assert_eq!(within("/t/one.example/pizza", &tenant), Ok("/pizza".to_owned()));
        assert_eq!(within("t/one.example/{version}/pizza", &tenant), Ok("/{version}/pizza".to_owned()));
        assert_eq!(within("/pizza", &tenant), Ok("/pizza".to_owned()));
        for text in
            ["/t/two.example/pizza", "/t/one.example", "/t/one.example/t/two.example/x", "/t/one.example/{version}"]
        {
            assert!(within(text, &tenant).is_err(), "{text} was accepted");
        }
        assert!(within("/t/carbon.super/pizza", &Organization::super_tenant()).is_err());
    }

    #[test]
    fn path_tricks_are_no_context() {
        for text in ["", "/", "/a//b", "/../x", "/a/./b", "/a b", "/a%2f", "/t/tenant", "/{version}", "/a{b}", "/a\\b"]
        {
            assert!(ApiContext::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_name_with_a_forbidden_character_is_refused_with_that_character() {
        assert_eq!(ApiName::parse("a/b").unwrap_err().to_string(), "name must not contain '/'");
        assert!(ApiName::parse(&"x".repeat(61)).is_err());
        assert!(ApiName::parse("Swagger Petstore - OpenAPI 3.0").is_ok());
    }
}
