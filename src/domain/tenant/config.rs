//! A tenant's configuration (WSO2 admin `tenant-config`): one document that administrators keep, of which this product
//! looks at some members.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Organization, Zone};

/// Member with the tenant's time zone, an IANA name. Without it the zone is UTC.
pub const TIME_ZONE: &str = "TimeZone";

/// Longest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// What gateways need of a tenant's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSettings {
    pub organization: Organization,
    /// By whose calendar the windows of the tenant's policies begin.
    #[serde(default)]
    pub time_zone: Zone,
}

/// The document as it was handed in, and what was read out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantConfig {
    document: Map<String, Value>,
    time_zone: Zone,
}

/// A document that is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantConfigError {
    #[error("must be the name of a time zone in the IANA list, e.g. \"Europe/Berlin\", or be left out for UTC")]
    TimeZone,
    #[error("must have at most {DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
}

impl TenantConfigError {
    /// The member that is wrong.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::TimeZone => TIME_ZONE,
            Self::TooLong => "body",
        }
    }
}

impl TenantConfig {
    /// Reads the members that count; the others are kept as they are.
    ///
    /// # Errors
    /// When the document is too long or a member has a value that it cannot have.
    pub fn parse(document: Map<String, Value>) -> Result<Self, TenantConfigError> {
        let time_zone = match document.get(TIME_ZONE) {
            None => Zone::UTC,
            Some(name) => name.as_str().and_then(Zone::parse).ok_or(TenantConfigError::TimeZone)?,
        };
        let config = Self { document, time_zone };
        if config.text().len() > DOCUMENT_BYTES_MAX {
            return Err(TenantConfigError::TooLong);
        }
        Ok(config)
    }

    /// What a tenant has that never handed one in.
    #[must_use]
    pub fn standard() -> Self {
        let document = Map::from_iter([(TIME_ZONE.to_owned(), Value::from(Zone::UTC.name()))]);
        Self { document, time_zone: Zone::UTC }
    }

    #[must_use]
    pub fn document(&self) -> &Map<String, Value> {
        &self.document
    }

    #[must_use]
    pub fn time_zone(&self) -> Zone {
        self.time_zone
    }

    /// The document as JSON.
    #[must_use]
    pub fn text(&self) -> String {
        Value::Object(self.document.clone()).to_string()
    }
}

/// JSON Schema of the document.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Tenant configuration",
        "type": "object",
        "properties": {
            TIME_ZONE: {
                "type": "string",
                "default": Zone::UTC.name(),
                "examples": ["Europe/Berlin", "Asia/Kolkata"],
                "description": "IANA name of the time zone by whose calendar throttling windows of an hour and longer begin.",
            },
        },
        "additionalProperties": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: Value) -> Result<TenantConfig, TenantConfigError> {
        TenantConfig::parse(document.as_object().unwrap().clone())
    }

    #[test]
    fn a_document_is_kept_whole_and_its_zone_is_read() {
        let document = json!({"EnableMonetization": false, "TimeZone": "Europe/Berlin", "Meta": {"a": [1, null]}});
        let config = parse(document.clone()).unwrap();
        assert_eq!(config.time_zone().name(), "Europe/Berlin");
        assert_eq!(serde_json::from_str::<Value>(&config.text()).unwrap(), document);
        assert_eq!(parse(json!({})).unwrap().time_zone(), Zone::UTC);
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        for wrong in [json!("Berlin"), json!("+01:00"), json!(""), json!(1), json!(null), json!(["UTC"])] {
            assert_eq!(parse(json!({"TimeZone": wrong})), Err(TenantConfigError::TimeZone));
        }
        assert_eq!(parse(json!({"Text": "x".repeat(DOCUMENT_BYTES_MAX)})), Err(TenantConfigError::TooLong));
    }

    #[test]
    fn the_standard_document_is_one() {
        let standard = TenantConfig::standard();
        assert_eq!(TenantConfig::parse(standard.document().clone()), Ok(standard));
    }
}
