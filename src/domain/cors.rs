//! Which web pages may call an API (the CORS protocol of the Fetch standard).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The wire's `corsConfiguration` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCors {
    #[error("is no APICorsConfiguration: {0}")]
    Shape(#[source] serde_json::Error),
    #[error("{field} holds '{value}', which cannot stand in a header")]
    Value { field: &'static str, value: String },
}

/// What an API tells browsers (WSO2 `APICorsConfiguration`); an API without it follows the gateway's `[gateway.cors]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsConfiguration {
    /// Origins such as `https://shop.example.com`; `*` alone is any origin, inside a text any part of one.
    pub allow_origins: Vec<String>,
    /// Whether pages may send cookies and read the answer; never together with any origin.
    pub allow_credentials: bool,
    pub allow_headers: Vec<String>,
    /// Upper case; of these a preflight is told the ones that the resource has.
    pub allow_methods: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    cors_configuration_enabled: bool,
    access_control_allow_origins: Vec<String>,
    access_control_allow_credentials: bool,
    access_control_allow_headers: Vec<String>,
    access_control_allow_methods: Vec<String>,
}

impl CorsConfiguration {
    /// Reads the wire's object; `None` when it is not enabled.
    ///
    /// # Errors
    /// When a field has another JSON type or a value that no header can carry.
    pub fn from_wire(value: &Value) -> Result<Option<Self>, InvalidCors> {
        let wire = Wire::deserialize(value).map_err(InvalidCors::Shape)?;
        check("accessControlAllowOrigins", &wire.access_control_allow_origins, |text| !text.contains([',', ' ']))?;
        check("accessControlAllowHeaders", &wire.access_control_allow_headers, is_token)?;
        check("accessControlAllowMethods", &wire.access_control_allow_methods, is_token)?;
        let own = Self {
            allow_origins: wire.access_control_allow_origins,
            allow_credentials: wire.access_control_allow_credentials,
            allow_headers: wire.access_control_allow_headers,
            allow_methods: wire.access_control_allow_methods.iter().map(|verb| verb.to_ascii_uppercase()).collect(),
        };
        Ok(wire.cors_configuration_enabled.then_some(own))
    }
}

fn check(field: &'static str, values: &[String], is_good: fn(&str) -> bool) -> Result<(), InvalidCors> {
    let is_bad =
        |text: &&String| text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) || !is_good(text);
    match values.iter().find(is_bad) {
        None => Ok(()),
        Some(bad) => Err(InvalidCors::Value { field, value: bad.chars().take(64).collect() }),
    }
}

/// RFC 9110 section 5.6.2.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_that_is_not_enabled_is_none() {
        let wire = json!({"corsConfigurationEnabled": false, "accessControlAllowOrigins": ["*"]});
        assert_eq!(CorsConfiguration::from_wire(&wire).unwrap(), None);
        let wire = json!({"corsConfigurationEnabled": true, "accessControlAllowMethods": ["get"]});
        assert_eq!(CorsConfiguration::from_wire(&wire).unwrap().unwrap().allow_methods, ["GET"]);
    }

    #[test]
    fn what_no_header_can_carry_is_named() {
        for (field, value) in [
            ("accessControlAllowOrigins", "https://a\r\nx: y"),
            ("accessControlAllowHeaders", "two words"),
            ("accessControlAllowMethods", ""),
        ] {
            let error = CorsConfiguration::from_wire(&json!({ field: [value] })).unwrap_err();
            assert!(error.to_string().starts_with(field), "{error}");
        }
        assert!(CorsConfiguration::from_wire(&json!({"accessControlAllowOrigins": "*"})).is_err());
    }
}
