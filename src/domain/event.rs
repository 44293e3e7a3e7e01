//! Changes as gateways hear of them: entries of numbered logs, each carrying the full new state.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::api_key::ApiKey;
use crate::application::KeyMapping;
use crate::runtime::{ApiMetadata, DeployedRevision, GatewayApplication, RevocationEntry, TrustedIssuer};
use crate::subscription::Subscription;
use crate::tenant::TenantSettings;
use crate::throttling::{
    AdvancedPolicy, ApplicationPolicy, CustomRule, DenyPolicy, PolicyKind, SubscriptionPolicy, ThrottleReset,
};
use crate::{ApiId, ApiKeyId, ApplicationId, EventId, KeyMappingId, Organization, PolicyId, SubscriptionId, Timestamp};

/// Version of the shape of events and of what gateways hold. It grows with every new type of event, every new value of an
/// enumeration and every new field that decides something.
///
/// Releases with neighbouring versions run side by side. New fields have defaults and unknown ones are ignored, in both
/// directions. An entry that is newer than its reader and cannot be read is [`Event::Unknown`] and only moves the position;
/// a gateway whose own version is newer than the one that wrote its last good state takes a snapshot.
pub const SCHEMA_VERSION: u32 = 2;

/// Which log an event belongs to: revocations have their own, so that a burst of them never queues behind deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogName {
    Control,
    Revocation,
}

impl LogName {
    pub const ALL: [Self; 2] = [Self::Control, Self::Revocation];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Revocation => "revocation",
        }
    }
}

/// How far a reader has come. The log id changes when a database is restored or made anew; a position with another
/// log id is worthless and its owner needs a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    pub log_id: String,
    /// Number of the last entry taken in; 0 before the first.
    pub number: u64,
}

/// One numbered entry. Numbers have no gaps and follow the order of commits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogEntry {
    pub number: u64,
    pub event_id: EventId,
    /// [`SCHEMA_VERSION`] of the release that wrote the entry.
    pub schema: u32,
    pub at: Timestamp,
    pub event: Event,
}

/// An entry whose event is not looked at yet.
#[derive(Deserialize)]
struct RawEntry {
    number: u64,
    event_id: EventId,
    schema: u32,
    at: Timestamp,
    event: Value,
}

impl<'de> Deserialize<'de> for LogEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawEntry { number, event_id, schema, at, event } = RawEntry::deserialize(deserializer)?;
        let event = Event::read(event, schema).map_err(D::Error::custom)?;
        Ok(Self { number, event_id, schema, at, event })
    }
}

/// A change (WSO2's event types in the serialised names).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload")]
pub enum Event {
    /// The working copy's lifecycle state or default flag changed, or the API is new.
    #[serde(rename = "API_UPDATE")]
    ApiUpdated(ApiMetadata),
    #[serde(rename = "API_DELETE")]
    ApiDeleted { organization: Organization, api_id: ApiId },
    #[serde(rename = "DEPLOY_API_IN_GATEWAY")]
    ApiDeployed { organization: Organization, deployment: DeployedRevision, metadata: ApiMetadata },
    #[serde(rename = "REMOVE_API_FROM_GATEWAY")]
    ApiUndeployed { organization: Organization, api_id: ApiId, environment: String },
    /// Created or changed.
    #[serde(rename = "APPLICATION_UPDATE")]
    ApplicationUpdated(GatewayApplication),
    /// The application with its key mappings and subscriptions is gone.
    #[serde(rename = "APPLICATION_DELETE")]
    ApplicationDeleted { organization: Organization, application_id: ApplicationId },
    #[serde(rename = "APPLICATION_REGISTRATION_CREATE")]
    KeyMappingCreated(KeyMapping),
    #[serde(rename = "REMOVE_APPLICATION_KEYMAPPING")]
    KeyMappingDeleted { organization: Organization, key_mapping_id: KeyMappingId, consumer_key: String },
    #[serde(rename = "API_KEY_CREATE")]
    ApiKeyCreated(ApiKey),
    /// In the control log, so that it can never overtake the key's creation.
    #[serde(rename = "API_KEY_REVOKE")]
    ApiKeyRevoked {
        organization: Organization,
        api_key_id: ApiKeyId,
        application_id: ApplicationId,
        /// SHA-256 (hex) of the key.
        hash: String,
    },
    /// Created or changed.
    #[serde(rename = "SUBSCRIPTIONS_UPDATE")]
    SubscriptionUpdated(Subscription),
    #[serde(rename = "SUBSCRIPTIONS_DELETE")]
    SubscriptionDeleted {
        organization: Organization,
        subscription_id: SubscriptionId,
        api_id: ApiId,
        application_id: ApplicationId,
    },
    /// Created or changed.
    #[serde(rename = "SUBSCRIPTION_POLICY_UPDATE")]
    SubscriptionPolicyUpdated(SubscriptionPolicy),
    /// Created or changed.
    #[serde(rename = "APPLICATION_POLICY_UPDATE")]
    ApplicationPolicyUpdated(ApplicationPolicy),
    /// Created or changed.
    #[serde(rename = "API_POLICY_UPDATE")]
    AdvancedPolicyUpdated(AdvancedPolicy),
    /// Created or changed.
    #[serde(rename = "GLOBAL_POLICY_UPDATE")]
    CustomRuleUpdated(CustomRule),
    /// Created or changed.
    #[serde(rename = "BLOCK_CONDITION_UPDATE")]
    DenyPolicyUpdated(DenyPolicy),
    #[serde(rename = "BLOCK_CONDITION_DELETE")]
    DenyPolicyDeleted { organization: Organization, policy_id: PolicyId },
    #[serde(rename = "APPLICATION_THROTTLE_RESET")]
    ThrottleReset(ThrottleReset),
    /// What gateways need of a tenant's configuration changed.
    #[serde(rename = "TENANT_CONFIG_UPDATE")]
    TenantSettingsUpdated(TenantSettings),
    #[serde(rename = "POLICY_DELETE")]
    PolicyDeleted { organization: Organization, kind: PolicyKind, policy_id: PolicyId, name: String },
    /// An issuer or its key set is new or changed.
    #[serde(rename = "KEY_MANAGER_UPDATE")]
    IssuerUpdated(TrustedIssuer),
    #[serde(rename = "TOKEN_REVOCATION")]
    Revoked(RevocationEntry),
    /// Written by a newer release. Kept as it came, so that a hub hands it on to gateways that can read it.
    #[serde(untagged)]
    Unknown(UnknownEvent),
}

/// An event that this release cannot read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnknownEvent {
    document: Value,
    /// Whose it is cannot be told.
    #[serde(skip, default = "Organization::super_tenant")]
    organization: Organization,
}

impl UnknownEvent {
    /// The type that the newer release names.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.document["type"].as_str().unwrap_or("UNKNOWN")
    }
}

impl Event {
    /// Reads an event that a release of the version `schema` wrote.
    ///
    /// # Errors
    /// When it cannot be read although this release should know it.
    pub fn read(document: Value, schema: u32) -> Result<Self, serde_json::Error> {
        match serde_json::from_value(document)? {
            Self::Unknown(event) if schema <= SCHEMA_VERSION => {
                let name = event.type_name();
                Err(serde_json::Error::custom(format!("an event {name} of schema version {schema} is not valid")))
            }
            event => Ok(event),
        }
    }

    /// The log that carries this event.
    #[must_use]
    pub fn log(&self) -> LogName {
        match self {
            Self::Revoked(_) => LogName::Revocation,
            _ => LogName::Control,
        }
    }

    /// The tenant that the change belongs to.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        match self {
            Self::ApiUpdated(api) => &api.organization,
            Self::ApplicationUpdated(application) => &application.organization,
            Self::KeyMappingCreated(mapping) => &mapping.organization,
            Self::ApiKeyCreated(key) => &key.organization,
            Self::SubscriptionUpdated(subscription) => &subscription.organization,
            Self::SubscriptionPolicyUpdated(policy) => &policy.organization,
            Self::ApplicationPolicyUpdated(policy) => &policy.organization,
            Self::AdvancedPolicyUpdated(policy) => &policy.organization,
            Self::CustomRuleUpdated(rule) => &rule.organization,
            Self::DenyPolicyUpdated(policy) => &policy.organization,
            Self::ThrottleReset(reset) => &reset.organization,
            Self::TenantSettingsUpdated(settings) => &settings.organization,
            Self::IssuerUpdated(issuer) => &issuer.organization,
            Self::Revoked(entry) => &entry.organization,
            Self::Unknown(event) => &event.organization,
            Self::ApiDeleted { organization, .. }
            | Self::ApiDeployed { organization, .. }
            | Self::ApiUndeployed { organization, .. }
            | Self::ApplicationDeleted { organization, .. }
            | Self::KeyMappingDeleted { organization, .. }
            | Self::ApiKeyRevoked { organization, .. }
            | Self::SubscriptionDeleted { organization, .. }
            | Self::DenyPolicyDeleted { organization, .. }
            | Self::PolicyDeleted { organization, .. } => organization,
        }
    }

    /// The serialised type name, for logs, metrics and the outbox column.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::ApiUpdated(_) => "API_UPDATE",
            Self::ApiDeleted { .. } => "API_DELETE",
            Self::ApiDeployed { .. } => "DEPLOY_API_IN_GATEWAY",
            Self::ApiUndeployed { .. } => "REMOVE_API_FROM_GATEWAY",
            Self::ApplicationUpdated(_) => "APPLICATION_UPDATE",
            Self::ApplicationDeleted { .. } => "APPLICATION_DELETE",
            Self::KeyMappingCreated(_) => "APPLICATION_REGISTRATION_CREATE",
            Self::KeyMappingDeleted { .. } => "REMOVE_APPLICATION_KEYMAPPING",
            Self::ApiKeyCreated(_) => "API_KEY_CREATE",
            Self::ApiKeyRevoked { .. } => "API_KEY_REVOKE",
            Self::SubscriptionUpdated(_) => "SUBSCRIPTIONS_UPDATE",
            Self::SubscriptionDeleted { .. } => "SUBSCRIPTIONS_DELETE",
            Self::SubscriptionPolicyUpdated(_) => "SUBSCRIPTION_POLICY_UPDATE",
            Self::ApplicationPolicyUpdated(_) => "APPLICATION_POLICY_UPDATE",
            Self::AdvancedPolicyUpdated(_) => "API_POLICY_UPDATE",
            Self::CustomRuleUpdated(_) => "GLOBAL_POLICY_UPDATE",
            Self::DenyPolicyUpdated(_) => "BLOCK_CONDITION_UPDATE",
            Self::DenyPolicyDeleted { .. } => "BLOCK_CONDITION_DELETE",
            Self::ThrottleReset(_) => "APPLICATION_THROTTLE_RESET",
            Self::TenantSettingsUpdated(_) => "TENANT_CONFIG_UPDATE",
            Self::PolicyDeleted { .. } => "POLICY_DELETE",
            Self::IssuerUpdated(_) => "KEY_MANAGER_UPDATE",
            Self::Revoked(_) => "TOKEN_REVOCATION",
            Self::Unknown(_) => "UNKNOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_name_is_the_serialised_one() {
        let event = Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.type_name());
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }

    fn entry(schema: u32, event: &Value) -> Result<LogEntry, serde_json::Error> {
        let event_id = EventId::random();
        serde_json::from_value(
            serde_json::json!({"number": 7, "event_id": event_id, "schema": schema, "at": 5, "event": event, "more": true}),
        )
    }

    #[test]
    fn an_event_of_a_newer_release_is_unknown_and_handed_on_as_it_came() {
        let newer = serde_json::json!({"type": "FLUX_UPDATE", "payload": {"capacitors": [1, 2]}});
        let read = entry(SCHEMA_VERSION + 1, &newer).unwrap();
        let Event::Unknown(event) = &read.event else { panic!("{read:?}") };
        assert_eq!(event.type_name(), "FLUX_UPDATE");
        assert_eq!(serde_json::to_value(&read).unwrap()["event"], newer);
        assert_eq!(serde_json::from_str::<LogEntry>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
    }

    #[test]
    fn a_known_type_of_another_shape_is_unknown_when_it_is_newer_and_damaged_when_it_is_not() {
        let other = serde_json::json!({"type": "API_DELETE", "payload": {"apis": []}});
        assert!(matches!(entry(SCHEMA_VERSION + 1, &other).unwrap().event, Event::Unknown(_)));
        assert!(entry(SCHEMA_VERSION, &other).unwrap_err().to_string().contains("API_DELETE"));
    }

    #[test]
    fn new_fields_of_a_known_type_are_ignored() {
        let api_id = ApiId::random();
        let payload = serde_json::json!({"organization": "carbon.super", "api_id": api_id, "reason": "spring"});
        let read = entry(SCHEMA_VERSION + 1, &serde_json::json!({"type": "API_DELETE", "payload": payload})).unwrap();
        assert_eq!(read.event, Event::ApiDeleted { organization: Organization::super_tenant(), api_id });
    }
}
