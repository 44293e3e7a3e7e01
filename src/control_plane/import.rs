//! Taking an archive's API in: create or overwrite, lifecycle state, revision and deployments in one transaction.

use domain::api::Api;
use domain::lifecycle::LifecycleState;
use domain::oauth::Principal;
use domain::revision::{REVISIONS_PER_API_MAX, Revision};
use domain::{Failure, Timestamp, error_code};
use store::ApimConn;
use store::apim::{apis, deployments, revisions};
use store::shared::registry;

use crate::ControlPlane;
use crate::apis::{NewApi, Uploaded, check, insert, store_change, take_turn, working_copy};
use crate::deployments::{CheckedTarget, DeployTarget, deploy, undeploy};
use crate::lifecycle::advance;
use crate::revisions::freeze;

/// What happens when the API exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    Overwrite,
}

/// What happens when the API has as many revisions as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullRevisions {
    Refuse,
    /// The earliest one is undeployed and deleted.
    Rotate,
}

/// An archive's API.
#[derive(Debug, Clone)]
pub struct ImportedApi {
    pub new: NewApi,
    pub definition: Option<Uploaded>,
    /// `None` makes the caller the provider. An API that exists keeps its own.
    pub provider: Option<String>,
    pub state: LifecycleState,
    /// Where it is deployed, as a new revision; nowhere without any.
    pub targets: Vec<DeployTarget>,
    pub existing: Existing,
    pub full_revisions: FullRevisions,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Imported {
    pub api: Api,
    pub revision: Option<Revision>,
}

/// Everything that the transaction needs.
struct Plan {
    wished: Api,
    state: LifecycleState,
    targets: Vec<CheckedTarget>,
    existing: Existing,
    full_revisions: FullRevisions,
    now: Timestamp,
}

impl ControlPlane {
    /// Takes the API in.
    ///
    /// # Errors
    /// 409 when it exists and must not be overwritten, or when its name or context is taken; 403 for a provider of another
    /// organization; 400 naming the field.
    pub async fn import_api(&self, caller: &Principal, mut imported: ImportedApi) -> Result<Imported, Failure> {
        let definition = imported.definition.take();
        let mut plan = self.plan(caller, imported)?;
        // Content of the registry is written before the row that refers to it; a refusal must not leave any.
        self.check_plan(&plan).await?;
        if let Some(uploaded) = definition {
            let media_type = uploaded.media_type();
            let put = registry::put(self.shared(), &caller.organization, media_type, uploaded.bytes, plan.now);
            plan.wished.definition_hash = Some(put.await?);
        }
        self.apim().write(move |conn| take_in(conn, &plan)).await
    }

    /// Says whether [`Self::import_api`] would take the API in, and changes nothing.
    ///
    /// # Errors
    /// Those of the import.
    pub async fn check_import(&self, caller: &Principal, imported: ImportedApi) -> Result<(), Failure> {
        let plan = self.plan(caller, imported)?;
        self.check_plan(&plan).await
    }

    fn plan(&self, caller: &Principal, imported: ImportedApi) -> Result<Plan, Failure> {
        check::details(&imported.new.details)?;
        self.unlimited_tier().check_plans(&imported.new.details)?;
        let now = self.now();
        let provider = imported.provider.as_deref().map(|provider| own_provider(caller, provider)).transpose()?;
        let targets = if imported.targets.is_empty() {
            Vec::new()
        } else {
            self.check_targets(self.with_vhosts(imported.targets))?
        };
        let mut wished = working_copy(caller, imported.new, None, now)?;
        if let Some(provider) = provider {
            wished.provider = provider;
        }
        let (existing, full_revisions) = (imported.existing, imported.full_revisions);
        Ok(Plan { wished, state: imported.state, targets, existing, full_revisions, now })
    }

    /// Archives may leave the host out: then it is the environment's first.
    fn with_vhosts(&self, mut targets: Vec<DeployTarget>) -> Vec<DeployTarget> {
        for target in targets.iter_mut().filter(|target| target.vhost.is_none()) {
            let environment = self.environments().iter().find(|own| own.name == target.environment);
            target.vhost = environment.and_then(|own| own.vhosts.first()).map(|vhost| vhost.host.clone());
        }
        targets
    }

    async fn check_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let (wished, state, existing) = (plan.wished.clone(), plan.state, plan.existing);
        let deploys = !plan.targets.is_empty();
        let full_revisions = plan.full_revisions;
        self.apim()
            .read(move |conn| {
                let stored = stored(conn, &wished, existing)?;
                if stored.is_none() {
                    check::is_free(conn, &wished.organization, &wished)?;
                }
                check::references(conn, &wished)?;
                let from = stored.as_ref().map_or(LifecycleState::Created, |stored| stored.state);
                path(from, state)?;
                if deploys && state == LifecycleState::Retired {
                    return Err(Failure::refused(error_code::CONFLICT, "a retired API cannot be deployed"));
                }
                if let Some(stored) = stored
                    && deploys
                    && full_revisions == FullRevisions::Refuse
                    && revisions::list(conn, stored.id)?.len() >= REVISIONS_PER_API_MAX
                {
                    return Err(Failure::invalid(
                        "rotateRevision",
                        format!("the API has {REVISIONS_PER_API_MAX} revisions, the most it may have"),
                    ));
                }
                Ok(())
            })
            .await
    }
}

/// The provider if it is a user of the caller's organization.
fn own_provider(caller: &Principal, provider: &str) -> Result<String, Failure> {
    const CHARS_MAX: usize = 200;
    if provider.is_empty() || provider.chars().count() > CHARS_MAX || provider.chars().any(char::is_control) {
        return Err(Failure::invalid("provider", "is no user name"));
    }
    let organization = &caller.organization;
    let username = match provider.strip_suffix(&format!("@{organization}")) {
        Some(username) => username,
        None if organization.is_super() && !provider.contains('@') => provider,
        None => {
            return Err(Failure::refused(
                error_code::FORBIDDEN,
                format!("provider: '{provider}' is no user of {organization}; import with preserveProvider=false"),
            ));
        }
    };
    Ok(domain::user::qualified_name(username, organization))
}

/// The API that is overwritten; `None` when there is none.
fn stored(conn: &mut ApimConn, wished: &Api, existing: Existing) -> Result<Option<Api>, Failure> {
    let versions = apis::list_by_name(conn, &wished.organization, wished.name.as_str())?;
    let Some(stored) = versions.into_iter().find(|own| own.version == wished.version) else { return Ok(None) };
    if existing == Existing::Refuse {
        return Err(Failure::refused(
            error_code::API_ALREADY_EXISTS,
            format!(
                "name: the API '{}' exists in version '{}'; import with overwrite=true to change it",
                wished.name.as_str(),
                wished.version.as_str()
            ),
        ));
    }
    if stored.context != wished.context {
        return Err(Failure::invalid(
            "context",
            format!("the API's is '{}', which never changes", stored.context.as_str()),
        ));
    }
    Ok(Some(stored))
}

fn path(from: LifecycleState, to: LifecycleState) -> Result<Vec<domain::lifecycle::LifecycleAction>, Failure> {
    from.path_to(to).ok_or_else(|| {
        Failure::refused(
            error_code::CONFLICT,
            format!("lifeCycleStatus: no way leads from {} to {}", from.as_str(), to.as_str()),
        )
    })
}

fn take_in(conn: &mut ApimConn, plan: &Plan) -> Result<Imported, Failure> {
    let wished = &plan.wished;
    take_turn(conn, &wished.organization)?;
    let stored = match stored(conn, wished, plan.existing)? {
        Some(stored) => apis::lock(conn, &wished.organization, stored.id)?,
        None => None,
    };
    let mut api = match stored {
        Some(stored) => {
            let api = Api {
                is_default_version: wished.is_default_version,
                definition_hash: wished.definition_hash.clone(),
                details: wished.details.clone(),
                updated_at: plan.now,
                updated_by: wished.updated_by.clone(),
                row_version: stored.row_version + 1,
                ..stored.clone()
            };
            store_change(conn, &stored, &api)?;
            api
        }
        None => {
            insert(conn, wished)?;
            wished.clone()
        }
    };
    for action in path(api.state, plan.state)? {
        advance(conn, &mut api, action, &wished.updated_by, plan.now)?;
    }
    if plan.targets.is_empty() {
        return Ok(Imported { api, revision: None });
    }
    if plan.full_revisions == FullRevisions::Rotate {
        rotate(conn, &api, plan.now)?;
    }
    let revision = freeze(conn, &api, "", &wished.updated_by, plan.now)?;
    deploy(conn, &api, &revision, &plan.targets, plan.now)?;
    Ok(Imported { api, revision: Some(revision) })
}

/// Makes room for one more revision.
fn rotate(conn: &mut ApimConn, api: &Api, now: Timestamp) -> Result<(), Failure> {
    let kept = revisions::list(conn, api.id)?;
    let Some(earliest) = kept.first().filter(|_| kept.len() >= REVISIONS_PER_API_MAX) else { return Ok(()) };
    for deployment in deployments::list(conn, api.id)? {
        if deployment.revision_id == earliest.id {
            undeploy(conn, &api.organization, api.id, deployment.environment, now)?;
        }
    }
    Ok(revisions::delete(conn, earliest.id)?)
}
