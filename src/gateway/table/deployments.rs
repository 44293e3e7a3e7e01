//! Which revision of which API is served: the writers' side of the route table.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ApiId;
use domain::lifecycle::LifecycleState;
use domain::runtime::{ApiMetadata, DeployedRevision, GatewayApi};

use super::{ApiEntry, CompiledApi, InvalidArtifact};
use crate::router::contexts::ContextMap;

/// A revision that is not served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    #[error("artifact {0} is not available")]
    MissingArtifact(String),
    #[error("artifact {0} is of another API or revision")]
    ForeignArtifact(String),
    #[error("the API's metadata is not known")]
    MissingMetadata,
    #[error("context '{context}' is already served for API {api_id}")]
    ContextTaken { context: String, api_id: ApiId },
    #[error(transparent)]
    Invalid(#[from] InvalidArtifact),
}

#[derive(Default)]
pub(super) struct Deployments {
    metadata: HashMap<ApiId, Known>,
    served: HashMap<ApiId, Served>,
    /// Who serves a context.
    contexts: HashMap<String, ApiId>,
    /// Counts changes of the default version; the latest wins while two versions both claim it.
    rank: u64,
}

struct Known {
    metadata: ApiMetadata,
    default_rank: u64,
}

struct Served {
    /// One per environment, the latest deployed last; that one is served.
    revisions: Vec<Revision>,
    entry: Arc<ApiEntry>,
}

#[derive(Clone)]
struct Revision {
    deployment: DeployedRevision,
    api: Arc<CompiledApi>,
}

impl Deployments {
    pub fn set_metadata(&mut self, metadata: ApiMetadata) {
        let api_id = metadata.api_id;
        let previous = self.metadata.get(&api_id).filter(|known| known.metadata.is_default_version);
        let default_rank = match previous {
            Some(known) => known.default_rank,
            None => {
                self.rank += 1;
                self.rank
            }
        };
        self.metadata.insert(api_id, Known { metadata, default_rank });
        self.refresh(api_id);
    }

    pub fn remove(&mut self, api_id: ApiId) {
        self.metadata.remove(&api_id);
        if self.served.remove(&api_id).is_some() {
            self.contexts.retain(|_, owner| *owner != api_id);
        }
    }

    /// Serves the revision in place of the environment's previous one; on an error nothing changes.
    pub fn deploy(
        &mut self,
        deployment: &DeployedRevision,
        artifact: Option<Arc<GatewayApi>>,
    ) -> Result<(), DeployError> {
        let hash = &deployment.artifact_hash;
        let artifact = artifact.ok_or_else(|| DeployError::MissingArtifact(hash.clone()))?;
        if artifact.api_id != deployment.api_id || artifact.revision_id != deployment.revision_id {
            return Err(DeployError::ForeignArtifact(hash.clone()));
        }
        let api = Arc::new(CompiledApi::build(artifact)?);
        self.serve(Revision { deployment: deployment.clone(), api })
    }

    /// Goes on serving what `previous` served for the deployment's API and environment.
    pub fn keep_previous(&mut self, previous: &Self, deployment: &DeployedRevision) {
        let revisions = previous.served.get(&deployment.api_id).map(|served| served.revisions.as_slice());
        let kept = revisions
            .unwrap_or_default()
            .iter()
            .find(|revision| revision.deployment.environment == deployment.environment);
        if let Some(revision) = kept
            && let Err(error) = self.serve(revision.clone())
        {
            tracing::error!(api.id = %deployment.api_id, %error, "the previous revision cannot be kept");
        }
    }

    pub fn undeploy(&mut self, api_id: ApiId, environment: &str) {
        let Some(served) = self.served.get_mut(&api_id) else { return };
        served.revisions.retain(|revision| revision.deployment.environment != environment);
        if served.revisions.is_empty() {
            self.served.remove(&api_id);
            self.contexts.retain(|_, owner| *owner != api_id);
        } else {
            self.refresh(api_id);
        }
    }

    /// Number of APIs that are served.
    pub fn served(&self) -> usize {
        self.served.len()
    }

    /// The artifact of an API that is served.
    pub fn find(&self, organization: &str, name: &str, version: &str) -> Option<Arc<GatewayApi>> {
        let mut documents = self.served.values().map(|served| &served.entry.api.document);
        documents
            .find(|own| own.organization.as_str() == organization && own.name == name && own.version == version)
            .map(Arc::clone)
    }

    /// The route table: every context with its version, then default versions where their context is free.
    pub fn routes(&self) -> ContextMap<ApiEntry> {
        let mut routes = ContextMap::default();
        for served in self.served.values() {
            routes.insert_if_free(&served.entry.api.document.context, &served.entry);
        }
        let mut defaults: Vec<_> = self.served.iter().filter(|(_, served)| served.entry.serves_default()).collect();
        let rank = |api_id: &ApiId| self.metadata.get(api_id).map_or(0, |known| known.default_rank);
        defaults.sort_by_key(|(api_id, _)| std::cmp::Reverse(rank(api_id)));
        for (_, served) in defaults {
            routes.insert_if_free(&served.entry.api.document.default_context, &served.entry);
        }
        routes
    }

    fn serve(&mut self, revision: Revision) -> Result<(), DeployError> {
        let api_id = revision.deployment.api_id;
        let known = self.metadata.get(&api_id).ok_or(DeployError::MissingMetadata)?;
        let context = &revision.api.document.context;
        if let Some(owner) = self.contexts.get(context).filter(|owner| **owner != api_id) {
            return Err(DeployError::ContextTaken { context: context.clone(), api_id: *owner });
        }
        let entry = Arc::new(ApiEntry::new(&revision, &known.metadata));
        let mut revisions = self.served.remove(&api_id).map(|served| served.revisions).unwrap_or_default();
        if revisions.iter().any(|own| own.api.document.context != *context) {
            self.contexts.retain(|_, owner| *owner != api_id);
        }
        self.contexts.insert(context.clone(), api_id);
        revisions.retain(|own| own.deployment.environment != revision.deployment.environment);
        revisions.push(revision);
        self.served.insert(api_id, Served { revisions, entry });
        Ok(())
    }

    /// Rebuilds the API's entry after its metadata or its list of revisions changed.
    fn refresh(&mut self, api_id: ApiId) {
        let Some(known) = self.metadata.get(&api_id) else { return };
        let Some(served) = self.served.get_mut(&api_id) else { return };
        if let Some(revision) = served.revisions.last() {
            served.entry = Arc::new(ApiEntry::new(revision, &known.metadata));
        }
    }
}

impl ApiEntry {
    fn new(revision: &Revision, metadata: &ApiMetadata) -> Self {
        Self {
            api: Arc::clone(&revision.api),
            deployment: revision.deployment.clone(),
            state: metadata.state,
            is_default_version: metadata.is_default_version,
        }
    }

    /// Whether the path without a version reaches this API: it must be the default version and have been published.
    fn serves_default(&self) -> bool {
        use LifecycleState::{Blocked, Deprecated, Prototyped, Published};
        self.is_default_version && matches!(self.state, Published | Prototyped | Deprecated | Blocked)
    }
}
