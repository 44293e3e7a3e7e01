//! What a gateway holds: the data that lets it decide about a call without asking anybody.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{ApiScope, AuthType, Endpoint};
use crate::api_key::ApiKey;
use crate::application::KeyMapping;
use crate::cors::CorsConfiguration;
use crate::lifecycle::LifecycleState;
use crate::subscription::Subscription;
use crate::tenant::TenantSettings;
use crate::throttling::{
    AdvancedPolicy, ApplicationPolicy, CustomRule, DenyPolicy, RateLimit, SubscriptionPolicy, ThrottleReset,
};
use crate::{ApiId, ApplicationId, Organization, RevisionId, Timestamp};

/// A revision of an API as gateways load it: one canonical document, addressed by the SHA-256 of its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayApi {
    pub api_id: ApiId,
    pub revision_id: RevisionId,
    pub organization: Organization,
    pub name: String,
    pub version: String,
    /// User name of the creator.
    pub provider: String,
    /// Path with the version, e.g. `/pizza/1.0.0`.
    pub context: String,
    /// Path of the default version, e.g. `/pizza`; served when the API's metadata says that it is the default.
    pub default_context: String,
    pub operations: Vec<GatewayOperation>,
    pub production: Option<Endpoint>,
    pub sandbox: Option<Endpoint>,
    /// `http`, `https`.
    pub transports: Vec<String>,
    /// `oauth2`, `api_key`, ..
    pub security_schemes: Vec<String>,
    pub audiences: Vec<String>,
    /// Name of the header that carries the access token, in lower case; `authorization` by default.
    pub authorization_header: String,
    /// False when the API has no subscription policies: then no subscription is needed.
    pub needs_subscription: bool,
    pub scopes: Vec<ApiScope>,
    /// What the API tells browsers; the gateway's own `[gateway.cors]` counts when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsConfiguration>,
    /// Name of the header that carries an API key, in lower case; `apikey` when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_header: Option<String>,
    /// Name of the advanced policy of the whole API (WSO2 `apiThrottlingPolicy`); with it those of the operations do not
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttling_policy: Option<String>,
    /// Most calls that reach the production endpoint (WSO2 `maxTps`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production_maximum: Option<RateLimit>,
    /// Most calls that reach the sandbox endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_maximum: Option<RateLimit>,
}

/// One verb on one URI template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayOperation {
    pub verb: String,
    pub target: String,
    pub auth: AuthType,
    pub throttling_policy: String,
    /// Scopes of which a token needs at least one.
    pub scopes: Vec<String>,
}

/// The part of an API that changes without a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiMetadata {
    pub api_id: ApiId,
    pub organization: Organization,
    pub name: String,
    pub version: String,
    pub context: String,
    pub state: LifecycleState,
    /// Whether calls without a version reach this API.
    pub is_default_version: bool,
}

/// A revision that gateways with the label `environment` must serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedRevision {
    pub api_id: ApiId,
    pub revision_id: RevisionId,
    pub environment: String,
    pub vhost: String,
    /// SHA-256 (hex) of the [`GatewayApi`] document.
    pub artifact_hash: String,
}

/// What a gateway knows of an application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayApplication {
    pub id: ApplicationId,
    pub organization: Organization,
    pub name: String,
    pub owner: String,
    /// Name of the application policy.
    pub throttling_policy: String,
}

/// The OAuth client behind a token, resolved by (organization, key manager, consumer key).
pub type GatewayKeyMapping = KeyMapping;

/// A token issuer that gateways trust (WSO2 `KeyManager`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    pub organization: Organization,
    /// E.g. `Resident Key Manager`.
    pub name: String,
    /// Must equal the token's `iss`.
    pub issuer: String,
    pub enabled: bool,
    /// RFC 7517 JWK set with public keys only; each key carries `kid` and `alg`, and a token must match both.
    pub jwks: serde_json::Value,
}

/// What no longer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "revoked")]
pub enum Revocation {
    /// One token, by its `jti`.
    Token { jti: String },
    /// All tokens of a client issued before `before`.
    ConsumerKey { consumer_key: String, before: Timestamp },
    /// All tokens of a user (`user@tenant`) issued before `before`.
    User { user: String, before: Timestamp },
}

/// A revocation and when it may be forgotten (the latest expiry of a token that it concerns).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationEntry {
    pub organization: Organization,
    #[serde(flatten)]
    pub revocation: Revocation,
    pub expires_at: Timestamp,
}

impl RevocationEntry {
    /// How long a revocation is kept after the tokens that it concerns have expired: a clock that was set forward must not
    /// make anybody forget a revocation whose tokens live again when the clock is set back.
    pub const KEPT_FOR: Duration = Duration::from_secs(900);

    /// Revocations that expire until then may be forgotten.
    #[must_use]
    pub fn forgettable(now: Timestamp) -> Timestamp {
        now.minus(Self::KEPT_FOR)
    }
}

/// All that a gateway needs, read in one transaction together with the positions at which it is true.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Position in the control log that the content includes.
    pub control: crate::event::Position,
    /// Position in the revocation log that the content includes.
    pub revocation: crate::event::Position,
    pub apis: Vec<ApiMetadata>,
    pub deployments: Vec<DeployedRevision>,
    pub applications: Vec<GatewayApplication>,
    pub key_mappings: Vec<GatewayKeyMapping>,
    #[serde(default)]
    pub api_keys: Vec<ApiKey>,
    pub subscriptions: Vec<Subscription>,
    pub subscription_policies: Vec<SubscriptionPolicy>,
    pub application_policies: Vec<ApplicationPolicy>,
    #[serde(default)]
    pub advanced_policies: Vec<AdvancedPolicy>,
    #[serde(default)]
    pub custom_rules: Vec<CustomRule>,
    #[serde(default)]
    pub deny_policies: Vec<DenyPolicy>,
    #[serde(default)]
    pub throttle_resets: Vec<ThrottleReset>,
    #[serde(default)]
    pub tenant_settings: Vec<TenantSettings>,
    pub issuers: Vec<TrustedIssuer>,
    pub revocations: Vec<RevocationEntry>,
}
