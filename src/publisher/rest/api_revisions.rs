//! Tag `API Revisions`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::deployments::UndeployTarget;
use control_plane::revisions::RevisionName;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::WholeListDto;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{RevisionCreate, RevisionDeploy, RevisionGet, RevisionView};
use crate::dto::api::ApiDto;
use crate::dto::revision::{ApiRevisionDeploymentDto, ApiRevisionDto, DeploymentInput, RevisionInput};
use crate::routes::BASE_PATH;

/// Parameters of `getAPIRevisions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListParameters {
    query: Option<String>,
}

/// How deploy and undeploy name their revision.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RevisionParameters {
    revision_id: Option<String>,
    revision_number: Option<String>,
    all_environments: bool,
    /// Whether to answer only once the gateways have acknowledged (ours, not WSO2's).
    wait: bool,
    /// For how many seconds at most.
    timeout: Option<u64>,
}

/// Longest and usual wait for acknowledgements, in seconds.
const WAIT_SECS_MAX: u64 = 60;
const WAIT_SECS: u64 = 30;

impl RevisionParameters {
    fn name(&self) -> Result<RevisionName, Problem> {
        Ok(RevisionName::from_parameters(self.revision_id.as_deref(), self.revision_number.as_deref())?)
    }

    fn wait(&self) -> Result<Option<Duration>, Problem> {
        let secs = self.timeout.unwrap_or(WAIT_SECS);
        if !(1..=WAIT_SECS_MAX).contains(&secs) {
            return Err(Problem::invalid("timeout", format!("is a number of seconds from 1 to {WAIT_SECS_MAX}")));
        }
        Ok(self.wait.then_some(Duration::from_secs(secs)))
    }
}

pub async fn get_api_revisions(
    caller: Guarded<RevisionView>,
    api_id: Path<String>,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let deployed = match parameters.0.query.as_deref() {
        None => None,
        Some("deployed:true") => Some(true),
        Some("deployed:false") => Some(false),
        Some(other) => {
            return Err(Problem::invalid("query", format!("'{other}' is not deployed:true or deployed:false")));
        }
    };
    let revisions = control_plane.list_revisions(&caller, &api_id, deployed).await?;
    Ok(answer::ok(WholeListDto::new(revisions.iter().map(ApiRevisionDto::from).collect())))
}

pub async fn create_api_revision(
    caller: Guarded<RevisionCreate>,
    api_id: Path<String>,
    body: JsonBody<RevisionInput>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let revision = control_plane.create_revision(&caller, &api_id, &body.0.description).await?;
    let location = format!("{BASE_PATH}/apis/{}/revisions/{}", revision.revision.api_id, revision.revision.id);
    Ok(answer::created(&location, ApiRevisionDto::from(&revision)))
}

/// 201, as clients expect; the contract's document says 200. With `wait=true` the answer tells what every live gateway made
/// of it.
pub async fn deploy_api_revision(
    caller: Guarded<RevisionDeploy>,
    api_id: Path<String>,
    parameters: QueryParams<RevisionParameters>,
    body: JsonBody<Vec<DeploymentInput>>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let targets = body.0.into_iter().map(DeploymentInput::into_target).collect();
    let (named, wait) = (parameters.0.name()?, parameters.0.wait()?);
    let mut deployments = control_plane.deploy_revision(&caller, &api_id, named, targets).await?;
    if let Some(limit) = wait {
        deployments = control_plane.await_deployment(&caller, &api_id, named, limit).await?;
    }
    Ok(answer::created_without_location(deployments.iter().map(ApiRevisionDeploymentDto::from).collect::<Vec<_>>()))
}

pub async fn undeploy_api_revision(
    caller: Guarded<RevisionCreate>,
    api_id: Path<String>,
    parameters: QueryParams<RevisionParameters>,
    body: JsonBody<Vec<DeploymentInput>>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let target = if parameters.0.all_environments {
        UndeployTarget::All
    } else {
        UndeployTarget::Environments(body.0.into_iter().map(|target| target.name).collect())
    };
    let remaining = control_plane.undeploy_revision(&caller, &api_id, parameters.0.name()?, target).await?;
    Ok(answer::created_without_location(remaining.iter().map(ApiRevisionDeploymentDto::from).collect::<Vec<_>>()))
}

pub async fn get_api_revision(
    caller: Guarded<RevisionGet>,
    path: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (api_id, revision_id) = path.into_inner();
    let revision = control_plane.get_revision(&caller, &api_id, &revision_id).await?;
    Ok(answer::ok(ApiRevisionDto::from(&revision)))
}

/// Answers what remains.
pub async fn delete_api_revision(
    caller: Guarded<RevisionCreate>,
    path: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (api_id, revision_id) = path.into_inner();
    control_plane.delete_revision(&caller, &api_id, &revision_id).await?;
    let revisions = control_plane.list_revisions(&caller, &api_id, None).await?;
    Ok(answer::ok(WholeListDto::new(revisions.iter().map(ApiRevisionDto::from).collect())))
}

pub async fn restore_api_revision(
    caller: Guarded<RevisionDeploy>,
    api_id: Path<String>,
    parameters: QueryParams<RevisionParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let api = control_plane.restore_revision(&caller, &api_id, parameters.0.name()?).await?;
    Ok(answer::created_tagged(&format!("{BASE_PATH}/apis/{}", api.id), api.row_version, ApiDto(&api)))
}

pub async fn get_api_revision_deployments(
    caller: Guarded<RevisionGet>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let deployments = control_plane.list_deployments(&caller, &api_id).await?;
    Ok(answer::ok(WholeListDto::new(deployments.iter().map(ApiRevisionDeploymentDto::from).collect())))
}
