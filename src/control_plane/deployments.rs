//! Deploying revisions to environments, and what gateways said about it.

use std::time::Duration;

use domain::api::Api;
use domain::event::Event;
use domain::lifecycle::LifecycleState;
use domain::oauth::Principal;
use domain::revision::{Deployment, DeploymentCounts, GatewayStanding, Revision};
use domain::runtime::DeployedRevision;
use domain::{ApiId, Failure, Organization, Timestamp, error_code};
use store::ApimConn;
use store::apim::{apis, deployments, gateways};
use tokio::time::Instant;

use crate::ControlPlane;
use crate::apis::{metadata, not_found, parse_id};
use crate::revisions::{RevisionName, resolve};

/// Pauses between two looks at acknowledgements: gateways answer within milliseconds or not for long.
const AWAIT_PAUSE_MIN: Duration = Duration::from_millis(10);
const AWAIT_PAUSE_MAX: Duration = Duration::from_millis(250);

/// A deployment with what the environment's gateways acknowledged.
#[derive(Debug, Clone)]
pub struct DeploymentView {
    pub deployment: Deployment,
    pub counts: DeploymentCounts,
    /// The live gateways of the environment.
    pub gateways: Vec<GatewayStanding>,
}

/// One environment of a deploy request (WSO2 `APIRevisionDeployment`).
#[derive(Debug, Clone)]
pub struct DeployTarget {
    pub environment: String,
    pub vhost: Option<String>,
    pub display_on_devportal: bool,
}

/// Environment, vhost, and whether the developer portal shows it: all known to exist.
pub(crate) type CheckedTarget = (String, String, bool);

/// Where an undeploy request points.
#[derive(Debug, Clone)]
pub enum UndeployTarget {
    Environments(Vec<String>),
    All,
}

/// Where the API is deployed.
pub(crate) fn of_api(
    conn: &mut ApimConn,
    api_id: ApiId,
    now: Timestamp,
    fresh_for: Duration,
) -> Result<Vec<DeploymentView>, Failure> {
    let wished = deployments::list(conn, api_id)?;
    if wished.is_empty() {
        return Ok(Vec::new());
    }
    let report = gateways::counts(conn, &[api_id], now, fresh_for)?;
    let view = |deployment: Deployment| {
        let gateways = report.gateways(api_id, &deployment.environment, deployment.revision_id);
        DeploymentView { counts: gateways.iter().collect(), gateways, deployment }
    };
    Ok(wished.into_iter().map(view).collect())
}

/// Where the revision is deployed.
pub(crate) fn of_revision(
    conn: &mut ApimConn,
    revision: &Revision,
    now: Timestamp,
    fresh_for: Duration,
) -> Result<Vec<DeploymentView>, Failure> {
    let mut views = of_api(conn, revision.api_id, now, fresh_for)?;
    views.retain(|view| view.deployment.revision_id == revision.id);
    Ok(views)
}

impl ControlPlane {
    /// Makes the revision the one that the environments' gateways serve; returns at once, gateways acknowledge later.
    ///
    /// # Errors
    /// 404 for the API or revision; 400/900504 for an environment, 400 for a vhost that it does not have; 409 when the
    /// API is retired.
    pub async fn deploy_revision(
        &self,
        caller: &Principal,
        api_id: &str,
        named: RevisionName,
        targets: Vec<DeployTarget>,
    ) -> Result<Vec<DeploymentView>, Failure> {
        let api_id = parse_id(api_id)?;
        let now = self.now();
        let targets = self.check_targets(targets)?;
        let (organization, fresh_for) = (caller.organization.clone(), self.heartbeat_fresh_for());
        self.apim()
            .write(move |conn| {
                let api = apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = resolve(conn, api_id, &named)?;
                deploy(conn, &api, &revision, &targets, now)?;
                of_revision(conn, &revision, now, fresh_for)
            })
            .await
    }

    /// Waits until every live gateway of the revision's environments has acknowledged it or said why it cannot, at most
    /// for `limit`; what is known then. Where no gateway lives there is nothing to wait for.
    ///
    /// # Errors
    /// 404 for the API or revision.
    pub async fn await_deployment(
        &self,
        caller: &Principal,
        api_id: &str,
        named: RevisionName,
        limit: Duration,
    ) -> Result<Vec<DeploymentView>, Failure> {
        let api_id = parse_id(api_id)?;
        let deadline = Instant::now() + limit;
        let mut pause = AWAIT_PAUSE_MIN;
        loop {
            let (organization, now, fresh_for) = (caller.organization.clone(), self.now(), self.heartbeat_fresh_for());
            let views = self.apim().read(move |conn| {
                apis::find(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = resolve(conn, api_id, &named)?;
                of_revision(conn, &revision, now, fresh_for)
            });
            let views = views.await?;
            let is_settled = views.iter().all(|view| view.counts.is_settled());
            if is_settled || Instant::now() >= deadline {
                return Ok(views);
            }
            tokio::time::sleep_until(deadline.min(Instant::now() + pause)).await;
            pause = (pause * 2).min(AWAIT_PAUSE_MAX);
        }
    }

    pub(crate) fn check_targets(&self, targets: Vec<DeployTarget>) -> Result<Vec<CheckedTarget>, Failure> {
        if targets.is_empty() {
            return Err(Failure::invalid("body", "name at least one environment"));
        }
        targets
            .into_iter()
            .map(|target| {
                let environment = self.find_environment(&target.environment)?;
                let vhost = match &target.vhost {
                    Some(host) if environment.vhost(host).is_some() => host.clone(),
                    Some(host) => {
                        return Err(Failure::invalid(
                            "vhost",
                            format!("environment '{}' has no vhost '{host}'", environment.name),
                        ));
                    }
                    None => {
                        return Err(Failure::invalid("vhost", "is missing: name a host of the environment"));
                    }
                };
                Ok((environment.name.clone(), vhost, target.display_on_devportal))
            })
            .collect()
    }

    fn find_environment(&self, name: &str) -> Result<&crate::Environment, Failure> {
        self.environments().iter().find(|environment| environment.name == name).ok_or_else(|| {
            Failure::refused(error_code::ENVIRONMENT_NOT_FOUND, format!("there is no gateway environment '{name}'"))
        })
    }

    /// Takes the revision off the environments.
    ///
    /// # Errors
    /// 404 for the API or revision; 400 for an environment that does not exist or serves another revision.
    pub async fn undeploy_revision(
        &self,
        caller: &Principal,
        api_id: &str,
        named: RevisionName,
        target: UndeployTarget,
    ) -> Result<Vec<DeploymentView>, Failure> {
        let api_id = parse_id(api_id)?;
        if let UndeployTarget::Environments(names) = &target {
            if names.is_empty() {
                return Err(Failure::invalid("body", "name at least one environment, or set allEnvironments"));
            }
            for name in names {
                self.find_environment(name)?;
            }
        }
        let (organization, now, fresh_for) = (caller.organization.clone(), self.now(), self.heartbeat_fresh_for());
        self.apim()
            .write(move |conn| {
                apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = resolve(conn, api_id, &named)?;
                let deployed: Vec<String> = deployments::list(conn, api_id)?
                    .into_iter()
                    .filter(|deployment| deployment.revision_id == revision.id)
                    .map(|deployment| deployment.environment)
                    .collect();
                let names = match &target {
                    UndeployTarget::All => deployed,
                    UndeployTarget::Environments(names) => {
                        if let Some(name) = names.iter().find(|name| !deployed.contains(name)) {
                            return Err(Failure::invalid(
                                "name",
                                format!("revision {} is not deployed to '{name}'", revision.number),
                            ));
                        }
                        names.clone()
                    }
                };
                for environment in names {
                    undeploy(conn, &organization, api_id, environment, now)?;
                }
                of_revision(conn, &revision, now, fresh_for)
            })
            .await
    }
}

/// Makes `revision` the one that the targets serve and tells the gateways.
pub(crate) fn deploy(
    conn: &mut ApimConn,
    api: &Api,
    revision: &Revision,
    targets: &[CheckedTarget],
    now: Timestamp,
) -> Result<(), Failure> {
    if api.state == LifecycleState::Retired {
        return Err(Failure::refused(error_code::CONFLICT, "a retired API cannot be deployed"));
    }
    for (environment, vhost, display_on_devportal) in targets {
        let deployment = Deployment {
            api_id: api.id,
            revision_id: revision.id,
            environment: environment.clone(),
            vhost: vhost.clone(),
            display_on_devportal: *display_on_devportal,
            deployed_at: now,
        };
        deployments::put(conn, &api.organization, &deployment)?;
        let deployed = DeployedRevision {
            api_id: api.id,
            revision_id: revision.id,
            environment: environment.clone(),
            vhost: vhost.clone(),
            artifact_hash: revision.artifact_hash.clone(),
        };
        let organization = api.organization.clone();
        conn.append(now, Event::ApiDeployed { organization, deployment: deployed, metadata: metadata(api) });
    }
    Ok(())
}

/// Removes one deployment and tells the gateways.
pub(crate) fn undeploy(
    conn: &mut ApimConn,
    organization: &Organization,
    api_id: ApiId,
    environment: String,
    now: Timestamp,
) -> Result<(), Failure> {
    if deployments::delete(conn, api_id, &environment)? {
        conn.append(now, Event::ApiUndeployed { organization: organization.clone(), api_id, environment });
    }
    Ok(())
}
