//! Fields of the contract's `API` object that nothing here interprets yet: checked for their JSON type, kept and given
//! back. What is in no list is dropped, as WSO2 drops it.

use domain::Failure;
use domain::cors::{CorsConfiguration, is_token};
use serde_json::{Map, Value, json};

/// JSON type that a field must have.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    OneOf(&'static [&'static str]),
    Flag,
    Number,
    Texts,
    Objects,
    Object,
    /// A list of names, or `"all"`.
    NamesOrAll,
}

/// Longest text of one field, as the contract has it for the description.
const TEXT_CHARS_MAX: usize = 32_766;

const FIELDS: &[(&str, Kind)] = &[
    ("accessControl", Kind::OneOf(&["NONE", "RESTRICTED"])),
    ("accessControlRoles", Kind::Texts),
    ("additionalProperties", Kind::Objects),
    ("additionalPropertiesMap", Kind::Object),
    ("advertiseInfo", Kind::Object),
    ("apiKeyHeader", Kind::Text),
    ("apiPolicies", Kind::Object),
    ("apiThrottlingPolicy", Kind::Text),
    ("asyncTransportProtocols", Kind::Texts),
    ("audience", Kind::OneOf(&["PUBLIC", "SINGLE"])),
    ("businessInformation", Kind::Object),
    ("cacheTimeout", Kind::Number),
    ("categories", Kind::Texts),
    ("corsConfiguration", Kind::Object),
    ("description", Kind::Text),
    ("displayName", Kind::Text),
    ("enableSchemaValidation", Kind::Flag),
    ("enableSubscriberVerification", Kind::Flag),
    ("endpointImplementationType", Kind::OneOf(&["INLINE", "ENDPOINT", "MOCKED_OAS"])),
    ("gatewayType", Kind::Text),
    ("gatewayVendor", Kind::Text),
    ("keyManagers", Kind::NamesOrAll),
    ("maxTps", Kind::Object),
    ("mediationPolicies", Kind::Objects),
    ("monetization", Kind::Object),
    ("organizationPolicies", Kind::Objects),
    ("primaryProductionEndpointId", Kind::Text),
    ("primarySandboxEndpointId", Kind::Text),
    ("responseCachingEnabled", Kind::Flag),
    ("serviceInfo", Kind::Object),
    ("subscriptionAvailability", Kind::OneOf(&["CURRENT_TENANT", "ALL_TENANTS", "SPECIFIC_TENANTS"])),
    ("subscriptionAvailableTenants", Kind::Texts),
    ("tags", Kind::Texts),
    ("threatProtectionPolicies", Kind::Object),
    ("visibleOrganizations", Kind::Texts),
    ("visibleTenants", Kind::Texts),
    ("websubSubscriptionConfiguration", Kind::Object),
    ("workflowStatus", Kind::Text),
];

/// Of `APIOperations`; policies are kept until they can be applied.
const OPERATION_FIELDS: &[(&str, Kind)] = &[
    ("amznResourceName", Kind::Text),
    ("amznResourceTimeout", Kind::Number),
    ("operationPolicies", Kind::Object),
    ("payloadSchema", Kind::Text),
    ("uriMapping", Kind::Text),
];

impl Kind {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.as_str().is_some_and(|text| text.chars().count() <= TEXT_CHARS_MAX),
            Self::OneOf(allowed) => value.as_str().is_some_and(|text| allowed.contains(&text)),
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_i64() || value.is_u64(),
            Self::Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Objects => value.as_array().is_some_and(|items| items.iter().all(Value::is_object)),
            Self::Object => value.is_object(),
            Self::NamesOrAll => value == "all" || Self::Texts.takes(value),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Text => return format!("a string of at most {TEXT_CHARS_MAX} characters"),
            Self::OneOf(allowed) => return format!("one of {}", allowed.join(", ")),
            Self::Flag => "true or false",
            Self::Number => "a whole number",
            Self::Texts => "a list of strings",
            Self::Objects => "a list of objects",
            Self::Object => "an object",
            Self::NamesOrAll => "a list of strings or \"all\"",
        }
        .to_owned()
    }
}

/// The known fields of `fields`; null counts as absent.
///
/// # Errors
/// 400 naming a field of the wrong type.
pub fn checked(fields: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    known("", FIELDS, fields)
}

/// As [`checked`], for one of `API.operations`.
///
/// # Errors
/// 400 naming a field of the wrong type.
pub fn checked_operation(fields: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    known("operations.", OPERATION_FIELDS, fields)
}

fn known(at: &str, kinds: &[(&str, Kind)], mut fields: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let mut known = Map::new();
    for (name, kind) in kinds {
        match fields.remove(*name) {
            None | Some(Value::Null) => {}
            Some(value) if kind.takes(&value) => {
                known.insert((*name).to_owned(), value);
            }
            Some(_) => return Err(Failure::invalid(&format!("{at}{name}"), format!("must be {}", kind.name()))),
        }
    }
    check_values(&known)?;
    Ok(known)
}

/// Fields that gateways act on must be usable there.
fn check_values(known: &Map<String, Value>) -> Result<(), Failure> {
    if let Some(cors) = known.get("corsConfiguration") {
        CorsConfiguration::from_wire(cors).map_err(|error| Failure::invalid("corsConfiguration", error))?;
    }
    match known.get("apiKeyHeader").and_then(Value::as_str) {
        Some(header) if !header.is_empty() && !is_token(header) => {
            Err(Failure::invalid("apiKeyHeader", "must be the name of a header"))
        }
        _ => Ok(()),
    }
}

/// What clients see where a creator said nothing.
pub fn defaults() -> Value {
    json!({
        "accessControl": "NONE",
        "accessControlRoles": [],
        "additionalProperties": [],
        "additionalPropertiesMap": {},
        "cacheTimeout": 300,
        "categories": [],
        "corsConfiguration": {
            "corsConfigurationEnabled": false,
            "accessControlAllowOrigins": ["*"],
            "accessControlAllowCredentials": false,
            "accessControlAllowHeaders": ["authorization", "Access-Control-Allow-Origin", "Content-Type", "SOAPAction", "apikey", "Internal-Key"],
            "accessControlAllowMethods": ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
        },
        "enableSchemaValidation": false,
        "endpointImplementationType": "ENDPOINT",
        "gatewayType": "wso2/synapse",
        "gatewayVendor": "wso2",
        "keyManagers": ["all"],
        "responseCachingEnabled": false,
        "subscriptionAvailability": "CURRENT_TENANT",
        "subscriptionAvailableTenants": [],
        "tags": []
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_wrong_type_is_named() {
        let fields = json!({"tags": "pizza"}).as_object().unwrap().clone();
        assert_eq!(checked(fields).unwrap_err().to_string(), "tags: must be a list of strings");
    }

    #[test]
    fn what_gateways_act_on_is_checked() {
        for (name, value) in
            [("corsConfiguration", json!({"accessControlAllowOrigins": "*"})), ("apiKeyHeader", json!("two words"))]
        {
            let error = checked(json!({ name: value }).as_object().unwrap().clone()).unwrap_err();
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }

    #[test]
    fn texts_have_a_limit_and_enumerations_their_values() {
        for (fields, reason) in [
            (json!({"description": "x".repeat(32_767)}), "description: must be a string of at most 32766 characters"),
            (json!({"accessControl": "SOME"}), "accessControl: must be one of NONE, RESTRICTED"),
            (json!({"keyManagers": "some"}), "keyManagers: must be a list of strings or \"all\""),
            (json!({"additionalProperties": [1]}), "additionalProperties: must be a list of objects"),
        ] {
            assert_eq!(checked(fields.as_object().unwrap().clone()).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn unknown_and_null_fields_are_dropped() {
        let fields = json!({"unheardOf": 1, "description": null, "tags": ["a"]}).as_object().unwrap().clone();
        assert_eq!(Value::Object(checked(fields).unwrap()), json!({"tags": ["a"]}));
    }

    #[test]
    fn every_default_passes_its_own_check() {
        let defaults = defaults().as_object().unwrap().clone();
        assert_eq!(checked(defaults.clone()).unwrap().len(), defaults.len());
    }
}
