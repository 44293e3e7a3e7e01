//! One API, one application with a key and a subscription, and policies of chosen sizes.

use std::collections::HashMap;
use std::sync::Arc;

use domain::api::{AuthType, Endpoint};
use domain::api_key::{ApiKey, KeyRestrictions};
use domain::application::{KeyMapping, KeyType, RESIDENT_KEY_MANAGER};
use domain::lifecycle::LifecycleState;
use domain::runtime::{
    ApiMetadata, DeployedRevision, GatewayApi, GatewayApplication, GatewayOperation, Snapshot, TrustedIssuer,
};
use domain::subscription::{Subscription, SubscriptionState};
use domain::throttling::advanced::{Condition, ConditionalGroup, Subject};
use domain::throttling::{
    AdvancedPolicy, ApplicationPolicy, CustomRule, DenyPolicy, DenyTarget, Limit, Quota, SubscriptionPolicy, TimeUnit,
};
use domain::{
    ApiId, ApiKeyId, ApplicationId, KeyMappingId, Organization, PolicyId, RevisionId, Secret, SubscriptionId, Timestamp,
};

pub const ISSUER: &str = "https://localhost:9443/oauth2/token";
pub const CONSUMER_KEY: &str = "consumer-key";

pub fn operation(verb: &str, target: &str) -> GatewayOperation {
    GatewayOperation {
        verb: verb.to_owned(),
        target: target.to_owned(),
        auth: AuthType::Any,
        throttling_policy: "Unlimited".to_owned(),
        scopes: Vec::new(),
    }
}

/// `/<name>/1.0.0` with `GET /*` and `POST /*`, calls going to `url`.
pub fn api(name: &str, url: &str) -> GatewayApi {
    GatewayApi {
        api_id: ApiId::random(),
        revision_id: RevisionId::random(),
        organization: Organization::super_tenant(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        provider: "admin".to_owned(),
        context: format!("/{name}/1.0.0"),
        default_context: format!("/{name}"),
        operations: vec![operation("GET", "/*"), operation("POST", "/*")],
        production: Some(Endpoint { url: url.to_owned(), timeout_ms: None }),
        sandbox: None,
        transports: vec!["http".to_owned(), "https".to_owned()],
        security_schemes: vec!["oauth2".to_owned()],
        audiences: Vec::new(),
        authorization_header: "authorization".to_owned(),
        needs_subscription: true,
        scopes: Vec::new(),
        cors: None,
        api_key_header: None,
        throttling_policy: None,
        production_maximum: None,
        sandbox_maximum: None,
    }
}

pub fn metadata(api: &GatewayApi) -> ApiMetadata {
    ApiMetadata {
        api_id: api.api_id,
        organization: api.organization.clone(),
        name: api.name.clone(),
        version: api.version.clone(),
        context: api.context.clone(),
        state: LifecycleState::Published,
        is_default_version: false,
    }
}

/// The hash is the revision's id: unique, and that is all that matters here.
pub fn deployment(api: &GatewayApi) -> DeployedRevision {
    DeployedRevision {
        api_id: api.api_id,
        revision_id: api.revision_id,
        environment: "Default".to_owned(),
        vhost: "localhost".to_owned(),
        artifact_hash: api.revision_id.to_string(),
    }
}

pub fn artifacts(apis: &[GatewayApi]) -> HashMap<String, Arc<GatewayApi>> {
    apis.iter().map(|api| (api.revision_id.to_string(), Arc::new(api.clone()))).collect()
}

pub fn application(owner: &str) -> GatewayApplication {
    GatewayApplication {
        id: ApplicationId::random(),
        organization: Organization::super_tenant(),
        name: "App".to_owned(),
        owner: owner.to_owned(),
        throttling_policy: "Unlimited".to_owned(),
    }
}

pub fn key_mapping(application: ApplicationId, key_type: KeyType, consumer_key: &str) -> KeyMapping {
    KeyMapping {
        id: KeyMappingId::random(),
        application_id: application,
        organization: Organization::super_tenant(),
        key_type,
        key_manager: RESIDENT_KEY_MANAGER.to_owned(),
        consumer_key: consumer_key.to_owned(),
        mode: domain::application::KeyMode::Created,
        created_at: Timestamp::from_millis(0),
    }
}

/// A key whose text is `text`.
pub fn api_key(application: ApplicationId, text: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::random(),
        organization: Organization::super_tenant(),
        application_id: application,
        key_type: KeyType::Production,
        name: "a key".to_owned(),
        hash: security::client_secret::hash(&Secret::new(text.to_owned())),
        user: "user@carbon.super".to_owned(),
        restrictions: KeyRestrictions::default(),
        created_at: Timestamp::from_millis(0),
        expires_at: None,
    }
}

pub fn subscription(application: ApplicationId, api: ApiId, tier: &str) -> Subscription {
    Subscription {
        id: SubscriptionId::random(),
        organization: Organization::super_tenant(),
        api_id: api,
        application_id: application,
        throttling_policy: tier.to_owned(),
        state: SubscriptionState::Unblocked,
        created_at: Timestamp::from_millis(0),
    }
}

fn per_hours(requests: u64) -> Option<Limit> {
    Some(Limit::new(Quota::RequestCount { requests }, 1, TimeUnit::Hour))
}

pub fn subscription_policy(name: &str, requests: u64) -> SubscriptionPolicy {
    SubscriptionPolicy {
        id: PolicyId::random(),
        organization: Organization::super_tenant(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: String::new(),
        limit: per_hours(requests),
        rate_limit: None,
        stop_on_quota_reach: true,
        billing_plan: "FREE".to_owned(),
        other: serde_json::Map::new(),
    }
}

pub fn application_policy(name: &str, requests: u64) -> ApplicationPolicy {
    ApplicationPolicy {
        id: PolicyId::random(),
        organization: Organization::super_tenant(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: String::new(),
        limit: per_hours(requests),
        other: serde_json::Map::new(),
    }
}

pub fn advanced_policy(name: &str, requests: u64) -> AdvancedPolicy {
    AdvancedPolicy {
        id: PolicyId::random(),
        organization: Organization::super_tenant(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: String::new(),
        limit: per_hours(requests),
        groups: Vec::new(),
    }
}

/// A group with one condition.
pub fn group(subject: Subject, requests: u64) -> ConditionalGroup {
    let limit = Limit::new(Quota::RequestCount { requests }, 1, TimeUnit::Hour);
    ConditionalGroup { description: String::new(), conditions: vec![Condition { is_inverted: false, subject }], limit }
}

pub fn custom_rule(key_template: &str, rule: &str) -> CustomRule {
    CustomRule {
        id: PolicyId::random(),
        organization: Organization::super_tenant(),
        name: "rule".to_owned(),
        display_name: "rule".to_owned(),
        description: String::new(),
        key_template: key_template.to_owned(),
        rule: rule.to_owned(),
        other: serde_json::Map::new(),
    }
}

pub fn deny_policy(target: DenyTarget) -> DenyPolicy {
    DenyPolicy { id: PolicyId::random(), organization: Organization::super_tenant(), target, is_active: true }
}

pub fn issuer(jwks: serde_json::Value) -> TrustedIssuer {
    TrustedIssuer {
        organization: Organization::super_tenant(),
        name: RESIDENT_KEY_MANAGER.to_owned(),
        issuer: ISSUER.to_owned(),
        enabled: true,
        jwks,
    }
}

/// All of `apis` deployed and published; nobody may call them yet.
pub fn snapshot(apis: &[GatewayApi]) -> Snapshot {
    Snapshot {
        apis: apis.iter().map(metadata).collect(),
        deployments: apis.iter().map(deployment).collect(),
        ..Snapshot::default()
    }
}
