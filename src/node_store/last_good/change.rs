//! Which rows an event or a snapshot changes: pure, so that it can be read and tested without a file.

use std::collections::HashMap;

use domain::event::Event;
use domain::runtime::{DeployedRevision, Revocation, RevocationEntry, Snapshot, TrustedIssuer};
use domain::throttling::PolicyKind;
use domain::{ApiId, Organization, Timestamp};
use serde::Serialize;

use crate::error::NodeStoreError;

/// What a row describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Api,
    /// The revision that the control plane wants.
    Deployment,
    /// The revision that was last loaded with success; differs from the wanted one when that cannot be loaded.
    Served,
    Application,
    KeyMapping,
    ApiKey,
    Subscription,
    SubscriptionPolicy,
    ApplicationPolicy,
    AdvancedPolicy,
    CustomRule,
    DenyPolicy,
    ThrottleReset,
    TenantSettings,
    Issuer,
    Revocation,
}

impl Kind {
    /// The name in the column `kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Deployment => "deployment",
            Self::Served => "served",
            Self::Application => "application",
            Self::KeyMapping => "key_mapping",
            Self::ApiKey => "api_key",
            Self::Subscription => "subscription",
            Self::SubscriptionPolicy => "subscription_policy",
            Self::ApplicationPolicy => "application_policy",
            Self::AdvancedPolicy => "advanced_policy",
            Self::CustomRule => "custom_rule",
            Self::DenyPolicy => "deny_policy",
            Self::ThrottleReset => "throttle_reset",
            Self::TenantSettings => "tenant_settings",
            Self::Issuer => "issuer",
            Self::Revocation => "revocation",
        }
    }
}

/// One row with the columns by which it is found and removed.
#[derive(Debug, Clone)]
pub struct Row {
    pub kind: Kind,
    pub key: String,
    pub organization: String,
    pub api_id: Option<String>,
    pub application_id: Option<String>,
    pub artifact_hash: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub document: String,
}

impl Row {
    fn new(
        kind: Kind,
        key: String,
        organization: &Organization,
        document: &impl Serialize,
    ) -> Result<Self, NodeStoreError> {
        let document = serde_json::to_string(document).map_err(NodeStoreError::encode(kind.as_str()))?;
        let organization = organization.as_str().to_owned();
        let (api_id, application_id, artifact_hash, expires_at) = (None, None, None, None);
        Ok(Self { kind, key, organization, api_id, application_id, artifact_hash, expires_at, document })
    }

    fn of_api(self, api_id: ApiId) -> Self {
        Self { api_id: Some(api_id.to_string()), ..self }
    }

    fn of_application(self, application_id: domain::ApplicationId) -> Self {
        Self { application_id: Some(application_id.to_string()), ..self }
    }
}

/// What happens to rows.
#[derive(Debug)]
pub enum Change {
    Put(Row),
    Delete { kind: Kind, key: String },
    DeleteOfApi(String),
    DeleteOfApplication(String),
}

pub(super) fn deployment_key(api_id: ApiId, environment: &str) -> String {
    format!("{api_id}@{environment}")
}

/// A row of kind [`Kind::Deployment`] or [`Kind::Served`].
pub(super) fn deployment_row(
    kind: Kind,
    organization: &Organization,
    deployment: &DeployedRevision,
) -> Result<Row, NodeStoreError> {
    let key = deployment_key(deployment.api_id, &deployment.environment);
    let row = Row::new(kind, key, organization, deployment)?.of_api(deployment.api_id);
    Ok(Row { artifact_hash: Some(deployment.artifact_hash.clone()), ..row })
}

/// The row changes that make the event true.
pub fn of_event(event: &Event) -> Result<Vec<Change>, NodeStoreError> {
    use Change::{Delete, DeleteOfApi, DeleteOfApplication, Put};
    Ok(match event {
        Event::ApiUpdated(api) => vec![Put(api_row(api)?)],
        Event::ApiDeleted { api_id, .. } => vec![DeleteOfApi(api_id.to_string())],
        Event::ApiDeployed { organization, deployment, metadata } => {
            vec![Put(api_row(metadata)?), Put(deployment_row(Kind::Deployment, organization, deployment)?)]
        }
        Event::ApiUndeployed { api_id, environment, .. } => {
            let key = deployment_key(*api_id, environment);
            vec![Delete { kind: Kind::Deployment, key: key.clone() }, Delete { kind: Kind::Served, key }]
        }
        Event::ApplicationUpdated(application) => vec![Put(application_row(application)?)],
        Event::ApplicationDeleted { application_id, .. } => vec![DeleteOfApplication(application_id.to_string())],
        Event::KeyMappingCreated(mapping) => vec![Put(key_mapping_row(mapping)?)],
        Event::KeyMappingDeleted { key_mapping_id, .. } => {
            vec![Delete { kind: Kind::KeyMapping, key: key_mapping_id.to_string() }]
        }
        Event::ApiKeyCreated(key) => vec![Put(api_key_row(key)?)],
        Event::ApiKeyRevoked { api_key_id, .. } => {
            vec![Delete { kind: Kind::ApiKey, key: api_key_id.to_string() }]
        }
        Event::SubscriptionUpdated(subscription) => vec![Put(subscription_row(subscription)?)],
        Event::SubscriptionDeleted { subscription_id, .. } => {
            vec![Delete { kind: Kind::Subscription, key: subscription_id.to_string() }]
        }
        Event::SubscriptionPolicyUpdated(policy) => vec![Put(subscription_policy_row(policy)?)],
        Event::ApplicationPolicyUpdated(policy) => vec![Put(application_policy_row(policy)?)],
        Event::AdvancedPolicyUpdated(policy) => vec![Put(advanced_policy_row(policy)?)],
        Event::CustomRuleUpdated(rule) => vec![Put(custom_rule_row(rule)?)],
        Event::DenyPolicyUpdated(policy) => vec![Put(deny_policy_row(policy)?)],
        Event::ThrottleReset(reset) => vec![Put(throttle_reset_row(reset)?)],
        Event::TenantSettingsUpdated(settings) => vec![Put(tenant_settings_row(settings)?)],
        Event::DenyPolicyDeleted { policy_id, .. } => {
            vec![Delete { kind: Kind::DenyPolicy, key: policy_id.to_string() }]
        }
        Event::PolicyDeleted { kind, policy_id, .. } => {
            let kind = match kind {
                PolicyKind::Subscription => Kind::SubscriptionPolicy,
                PolicyKind::Application => Kind::ApplicationPolicy,
                PolicyKind::Advanced => Kind::AdvancedPolicy,
                PolicyKind::Custom => Kind::CustomRule,
            };
            vec![Delete { kind, key: policy_id.to_string() }]
        }
        Event::IssuerUpdated(issuer) => vec![Put(issuer_row(issuer)?)],
        Event::Revoked(entry) => vec![Put(revocation_row(entry)?)],
        Event::Unknown(_) => Vec::new(),
    })
}

/// All rows of the snapshot.
pub fn of_snapshot(snapshot: &Snapshot) -> Result<Vec<Row>, NodeStoreError> {
    let mut rows = Vec::new();
    extend(&mut rows, &snapshot.revocations, revocation_row)?;
    extend(&mut rows, &snapshot.apis, api_row)?;
    let organizations: HashMap<_, _> = snapshot.apis.iter().map(|api| (api.api_id, &api.organization)).collect();
    for deployment in &snapshot.deployments {
        // A deployment without its API cannot be served; a snapshot comes from one transaction, so there is none.
        let Some(organization) = organizations.get(&deployment.api_id) else { continue };
        rows.push(deployment_row(Kind::Deployment, organization, deployment)?);
    }
    extend(&mut rows, &snapshot.applications, application_row)?;
    extend(&mut rows, &snapshot.key_mappings, key_mapping_row)?;
    extend(&mut rows, &snapshot.api_keys, api_key_row)?;
    extend(&mut rows, &snapshot.subscriptions, subscription_row)?;
    extend(&mut rows, &snapshot.subscription_policies, subscription_policy_row)?;
    extend(&mut rows, &snapshot.application_policies, application_policy_row)?;
    extend(&mut rows, &snapshot.advanced_policies, advanced_policy_row)?;
    extend(&mut rows, &snapshot.custom_rules, custom_rule_row)?;
    extend(&mut rows, &snapshot.deny_policies, deny_policy_row)?;
    extend(&mut rows, &snapshot.throttle_resets, throttle_reset_row)?;
    extend(&mut rows, &snapshot.tenant_settings, tenant_settings_row)?;
    extend(&mut rows, &snapshot.issuers, issuer_row)?;
    Ok(rows)
}

type MadeRow = Result<Row, NodeStoreError>;

fn extend<T>(rows: &mut Vec<Row>, items: &[T], row: fn(&T) -> MadeRow) -> Result<(), NodeStoreError> {
    for item in items {
        rows.push(row(item)?);
    }
    Ok(())
}

fn api_row(api: &domain::runtime::ApiMetadata) -> MadeRow {
    Ok(Row::new(Kind::Api, api.api_id.to_string(), &api.organization, api)?.of_api(api.api_id))
}

fn application_row(application: &domain::runtime::GatewayApplication) -> MadeRow {
    let key = application.id.to_string();
    Ok(Row::new(Kind::Application, key, &application.organization, application)?.of_application(application.id))
}

fn key_mapping_row(mapping: &domain::application::KeyMapping) -> MadeRow {
    let key = mapping.id.to_string();
    Ok(Row::new(Kind::KeyMapping, key, &mapping.organization, mapping)?.of_application(mapping.application_id))
}

fn api_key_row(key: &domain::api_key::ApiKey) -> MadeRow {
    Ok(Row::new(Kind::ApiKey, key.id.to_string(), &key.organization, key)?.of_application(key.application_id))
}

fn subscription_row(subscription: &domain::subscription::Subscription) -> MadeRow {
    let row = Row::new(Kind::Subscription, subscription.id.to_string(), &subscription.organization, subscription)?;
    Ok(row.of_api(subscription.api_id).of_application(subscription.application_id))
}

fn subscription_policy_row(policy: &domain::throttling::SubscriptionPolicy) -> MadeRow {
    Row::new(Kind::SubscriptionPolicy, policy.id.to_string(), &policy.organization, policy)
}

fn application_policy_row(policy: &domain::throttling::ApplicationPolicy) -> MadeRow {
    Row::new(Kind::ApplicationPolicy, policy.id.to_string(), &policy.organization, policy)
}

fn advanced_policy_row(policy: &domain::throttling::AdvancedPolicy) -> MadeRow {
    Row::new(Kind::AdvancedPolicy, policy.id.to_string(), &policy.organization, policy)
}

fn custom_rule_row(rule: &domain::throttling::CustomRule) -> MadeRow {
    Row::new(Kind::CustomRule, rule.id.to_string(), &rule.organization, rule)
}

fn deny_policy_row(policy: &domain::throttling::DenyPolicy) -> MadeRow {
    Row::new(Kind::DenyPolicy, policy.id.to_string(), &policy.organization, policy)
}

fn throttle_reset_row(reset: &domain::throttling::ThrottleReset) -> MadeRow {
    let key = format!("{}|{}", reset.application_id, reset.user);
    Ok(Row::new(Kind::ThrottleReset, key, &reset.organization, reset)?.of_application(reset.application_id))
}

fn tenant_settings_row(settings: &domain::tenant::TenantSettings) -> MadeRow {
    let key = settings.organization.as_str().to_owned();
    Row::new(Kind::TenantSettings, key, &settings.organization, settings)
}

fn issuer_row(issuer: &TrustedIssuer) -> MadeRow {
    let key = format!("{}|{}", issuer.organization.as_str(), issuer.name);
    Row::new(Kind::Issuer, key, &issuer.organization, issuer)
}

fn revocation_row(entry: &RevocationEntry) -> MadeRow {
    let subject = match &entry.revocation {
        Revocation::Token { jti } => format!("token|{jti}"),
        // With the time: a later one with an earlier cut-off must not take the place of the one that reaches farther.
        Revocation::ConsumerKey { consumer_key, before } => {
            format!("consumer_key|{consumer_key}|{}", before.as_millis())
        }
        Revocation::User { user, before } => format!("user|{user}|{}", before.as_millis()),
    };
    let key = format!("{}|{subject}", entry.organization.as_str());
    let row = Row::new(Kind::Revocation, key, &entry.organization, entry)?;
    Ok(Row { expires_at: Some(entry.expires_at), ..row })
}
