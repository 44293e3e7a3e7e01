//! The use cases behind the management REST APIs: no HTTP, no SQL.
//!
//! A use case checks its input, opens one transaction, writes the change and its events together and returns the new
//! state; it fails with [`domain::Failure`] and then nothing has changed. Content of the registry is written before the
//! row that refers to it. Entry point: [`ControlPlane`].

pub mod api_keys;
pub mod apis;
pub mod applications;
mod artifact;
pub mod bootstrap;
mod default_application;
pub mod deny_policies;
pub mod deployments;
pub mod discovery;
pub mod environment;
pub mod export;
pub mod import;
pub mod internal_keys;
pub mod keys;
pub mod lifecycle;
pub mod lifecycle_checklist;
pub mod passwords;
pub mod policies;
pub mod published_subscriptions;
pub mod quotas;
pub mod revision_changes;
pub mod revisions;
pub mod seed;
pub mod shared_scopes;
pub mod subscriptions;
pub mod tenant_config;
pub mod tenant_info;
mod tenant_user;
pub mod tenants;
pub mod throttle_keys;
mod throttle_resets;

use std::sync::Arc;

use client::GuardedFetch;
use domain::contract::{KeyManager, TenantKeys, ThrottleInspector};
use domain::{Clock, Timestamp};
use security::password::PasswordGate;
pub use store::apim::apis::{Direction, Page};
use store::{ApimDb, SharedDb};

pub use environment::{Environment, Vhost};
pub use policies::UnlimitedTier;

/// What the use cases need.
pub struct Deps {
    pub apim: ApimDb,
    pub shared: SharedDb,
    pub key_manager: Arc<dyn KeyManager>,
    pub tenant_keys: Arc<dyn TenantKeys>,
    /// Who counts.
    pub throttle_inspector: Arc<dyn ThrottleInspector>,
    pub passwords: PasswordGate,
    pub clock: Arc<dyn Clock>,
    /// Where APIs can be deployed.
    pub environments: Vec<Environment>,
    /// How old a gateway's heartbeat may be for the gateway to count as live.
    pub heartbeat_fresh_for: std::time::Duration,
    pub fetch: GuardedFetch,
    pub unlimited_tier: UnlimitedTier,
}

/// The use cases; clones share everything.
#[derive(Clone)]
pub struct ControlPlane {
    deps: Arc<Deps>,
}

impl ControlPlane {
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self { deps: Arc::new(deps) }
    }

    pub(crate) fn apim(&self) -> &ApimDb {
        &self.deps.apim
    }

    pub(crate) fn shared(&self) -> &SharedDb {
        &self.deps.shared
    }

    pub(crate) fn key_manager(&self) -> &dyn KeyManager {
        self.deps.key_manager.as_ref()
    }

    pub(crate) fn throttle_inspector(&self) -> &dyn ThrottleInspector {
        self.deps.throttle_inspector.as_ref()
    }

    /// What makes tenants.
    #[must_use]
    pub fn tenant_maker(&self) -> tenants::TenantMaker {
        tenants::TenantMaker {
            apim: self.deps.apim.clone(),
            shared: self.deps.shared.clone(),
            keys: Arc::clone(&self.deps.tenant_keys),
            passwords: self.deps.passwords.clone(),
            clock: Arc::clone(&self.deps.clock),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    pub(crate) fn heartbeat_fresh_for(&self) -> std::time::Duration {
        self.deps.heartbeat_fresh_for
    }

    pub(crate) fn fetch(&self) -> &GuardedFetch {
        &self.deps.fetch
    }

    pub(crate) fn unlimited_tier(&self) -> UnlimitedTier {
        self.deps.unlimited_tier
    }

    /// Where APIs can be deployed.
    #[must_use]
    pub fn environments(&self) -> &[Environment] {
        &self.deps.environments
    }
}
