//! What the gateway knows, in the form in which it decides: routes, consumers, issuers, revocations.
//!
//! Readers never wait: a request loads the live state once and works on it. Writers (the event sync) take turns. Routes
//! are an immutable map that is swapped whole while each API's own entry is rebuilt only when that API changes;
//! applications, keys and subscriptions live in concurrent maps, so an event about them costs the same however many
//! there are.

mod api;
mod api_keys;
mod consumers;
mod deployments;
mod issuers;
mod policies;
mod policy_key;
mod revocations;
mod tier;
mod zones;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use domain::Timestamp;
use domain::event::Event;
use domain::runtime::{DeployedRevision, GatewayApi, Snapshot};

pub use api::{ApiEntry, Backend, CompiledApi, InvalidArtifact};
pub use api_keys::{ApiKeyEntry, ApiKeys};
pub use consumers::{Consumer, Consumers, SubscriptionTier};
pub use deployments::DeployError;
pub use issuers::{Issuer, Issuers};
pub use policies::{AdvancedTier, CallFacts, CompiledRule, DenyFacts, Policies};
pub use revocations::{Revocations, TokenFacts};
pub use tier::{Measure, RequestQuota, SubscriptionLimits, Tier};
pub use zones::Zones;

use api_keys::KeyIndex;
use consumers::Index;
use deployments::Deployments;
use issuers::IssuerRegistry;
use policies::PolicyIndex;

use crate::fleet::Fleet;
use crate::router::contexts::ContextMap;

/// What became of one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployOutcome {
    pub deployment: DeployedRevision,
    /// Why the revision is not served; the previous one goes on being served.
    pub result: Result<(), String>,
}

/// What becomes of the revocations in the tables when everything else is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierRevocations {
    /// They are of the same log, which never takes one back.
    Keep,
    Drop,
}

/// A handle on the gateway's tables; clones share them.
#[derive(Clone, Default)]
pub struct Tables {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    live: ArcSwap<Live>,
    writer: Mutex<Writer>,
    deployed: AtomicUsize,
    loaded: AtomicBool,
    fleet: Fleet,
}

/// State that only writers need.
#[derive(Default)]
struct Writer {
    deployments: Deployments,
    index: Index,
    key_index: KeyIndex,
    policy_index: PolicyIndex,
    issuers: IssuerRegistry,
}

/// The state that requests read.
#[derive(Default)]
pub struct Live {
    routes: ArcSwap<ContextMap<ApiEntry>>,
    issuers: ArcSwap<Issuers>,
    pub consumers: Consumers,
    pub api_keys: ApiKeys,
    pub policies: Policies,
    pub zones: Zones,
    pub revocations: Revocations,
}

impl Tables {
    /// Tables without any content: every path is unknown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces everything at once, except that revocations which are known already stay when `earlier` says so: one that
    /// could not be persisted counts all the same. `artifacts` are keyed by hash; an artifact that is missing or cannot be
    /// built fails its own deployment only, and the revision that was served before stays.
    pub fn load(
        &self,
        snapshot: &Snapshot,
        artifacts: &HashMap<String, Arc<GatewayApi>>,
        earlier: EarlierRevocations,
    ) -> Vec<DeployOutcome> {
        let mut writer = self.writer();
        let mut deployments = Deployments::default();
        for metadata in &snapshot.apis {
            deployments.set_metadata(metadata.clone());
        }
        let mut outcomes = Vec::with_capacity(snapshot.deployments.len());
        for deployment in &snapshot.deployments {
            let artifact = artifacts.get(&deployment.artifact_hash).cloned();
            let result = deployments.deploy(deployment, artifact).map_err(|error| error.to_string());
            if result.is_err() {
                deployments.keep_previous(&writer.deployments, deployment);
            }
            outcomes.push(DeployOutcome { deployment: deployment.clone(), result });
        }
        let (consumers, index) = Consumers::load(snapshot);
        let (api_keys, key_index) = ApiKeys::load(&snapshot.api_keys);
        let (policies, policy_index) = Policies::load(snapshot);
        writer.issuers.replace(&snapshot.issuers);
        let live = Live {
            routes: ArcSwap::from_pointee(deployments.routes()),
            issuers: ArcSwap::new(writer.issuers.current()),
            consumers,
            api_keys,
            policies,
            zones: Zones::load(snapshot),
            revocations: Revocations::load(&snapshot.revocations),
        };
        if earlier == EarlierRevocations::Keep {
            live.revocations.absorb(&self.shared.live.load().revocations);
        }
        self.shared.deployed.store(deployments.served(), Ordering::Relaxed);
        writer.deployments = deployments;
        writer.index = index;
        writer.key_index = key_index;
        writer.policy_index = policy_index;
        self.shared.live.store(Arc::new(live));
        self.shared.loaded.store(true, Ordering::Release);
        outcomes
    }

    /// Takes in one change. `artifact` is the deployed revision's document and matters for deployments only, which are
    /// the events that have an outcome.
    pub fn apply(&self, event: &Event, artifact: Option<Arc<GatewayApi>>) -> Option<DeployOutcome> {
        let mut writer = self.writer();
        let live = self.shared.live.load();
        match event {
            Event::ApiUpdated(metadata) => {
                writer.deployments.set_metadata(metadata.clone());
                self.publish_routes(&live, &writer);
            }
            Event::ApiDeleted { api_id, .. } => {
                writer.deployments.remove(*api_id);
                self.publish_routes(&live, &writer);
            }
            Event::ApiDeployed { deployment, metadata, .. } => {
                writer.deployments.set_metadata(metadata.clone());
                let result = writer.deployments.deploy(deployment, artifact).map_err(|error| error.to_string());
                self.publish_routes(&live, &writer);
                return Some(DeployOutcome { deployment: deployment.clone(), result });
            }
            Event::ApiUndeployed { api_id, environment, .. } => {
                writer.deployments.undeploy(*api_id, environment);
                self.publish_routes(&live, &writer);
            }
            Event::IssuerUpdated(issuer) => {
                writer.issuers.update(issuer.clone());
                live.issuers.store(writer.issuers.current());
            }
            Event::Revoked(entry) => live.revocations.add(entry),
            Event::ApiKeyCreated(key) => live.api_keys.add(key, &mut writer.key_index),
            Event::ApiKeyRevoked { application_id, hash, .. } => {
                live.api_keys.remove(*application_id, hash, &mut writer.key_index);
            }
            Event::ApplicationDeleted { application_id, .. } => {
                live.api_keys.remove_application(*application_id, &mut writer.key_index);
                live.consumers.apply(event, &mut writer.index);
            }
            _ if live.policies.apply(event, &mut writer.policy_index) || live.zones.apply(event) => {}
            _ => live.consumers.apply(event, &mut writer.index),
        }
        None
    }

    /// The artifact of an API that is served, for tools.
    #[must_use]
    pub fn find_artifact(&self, organization: &str, name: &str, version: &str) -> Option<Arc<GatewayApi>> {
        self.writer().deployments.find(organization, name, version)
    }

    /// Drops revocations of tokens that have expired by themselves.
    pub fn forget_expired(&self, now: Timestamp) {
        self.shared.live.load().revocations.forget_expired(now);
    }

    /// APIs that are served.
    #[must_use]
    pub fn deployed_count(&self) -> usize {
        self.shared.deployed.load(Ordering::Relaxed)
    }

    /// Whether a snapshot was ever loaded: before that the gateway is not ready.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.shared.loaded.load(Ordering::Acquire)
    }

    /// The state that requests read from now on.
    #[must_use]
    pub fn live(&self) -> arc_swap::Guard<Arc<Live>> {
        self.shared.live.load()
    }

    /// The gateways that this one shares its work with.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.shared.fleet
    }

    fn publish_routes(&self, live: &Live, writer: &Writer) {
        live.routes.store(Arc::new(writer.deployments.routes()));
        self.shared.deployed.store(writer.deployments.served(), Ordering::Relaxed);
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A writer that panicked leaves maps that are valid one by one; the next event goes on from there.
        self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// The API that serves a path (decoded), and the length of its context.
    #[must_use]
    pub fn find_api(&self, path: &[u8]) -> Option<(Arc<ApiEntry>, usize)> {
        let routes = self.routes.load();
        routes.find(path).map(|(entry, length)| (Arc::clone(entry), length))
    }

    #[must_use]
    pub fn issuers(&self) -> arc_swap::Guard<Arc<Issuers>> {
        self.issuers.load()
    }
}

#[cfg(test)]
mod tests;
