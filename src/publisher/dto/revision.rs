//! `APIRevision`, `APIRevisionDeployment`.

use control_plane::deployments::{DeployTarget, DeploymentView};
use control_plane::revisions::RevisionView;
use domain::revision::{GatewayStanding, GatewayState};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RevisionInput {
    pub description: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentInput {
    pub name: String,
    vhost: Option<String>,
    #[serde(default = "shown")]
    display_on_devportal: bool,
}

fn shown() -> bool {
    true
}

impl DeploymentInput {
    pub fn into_target(self) -> DeployTarget {
        DeployTarget { environment: self.name, vhost: self.vhost, display_on_devportal: self.display_on_devportal }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiRevisionDto {
    display_name: String,
    id: String,
    description: String,
    /// Milliseconds since the epoch, as text: what WSO2 sends here.
    created_time: String,
    api_info: ApiRevisionApiInfoDto,
    deployment_info: Vec<ApiRevisionDeploymentDto>,
}

#[derive(Debug, Serialize)]
struct ApiRevisionApiInfoDto {
    id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiRevisionDeploymentDto {
    revision_uuid: String,
    name: String,
    status: &'static str,
    vhost: String,
    display_on_devportal: bool,
    deployed_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_deployed_time: Option<String>,
    live_gateway_count: i64,
    deployed_gateway_count: i64,
    failed_gateway_count: i64,
    /// Ours, not WSO2's: `DEPLOYED`, `PARTIAL`, `FAILED`, `PENDING` or `NO_GATEWAY`.
    deployment_state: &'static str,
    /// Ours, not WSO2's: what each live gateway said.
    gateways: Vec<GatewayStandingDto>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GatewayStandingDto {
    gateway_id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Milliseconds since the epoch, as text like the other times here.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_time: Option<String>,
}

impl From<&GatewayStanding> for GatewayStandingDto {
    fn from(standing: &GatewayStanding) -> Self {
        let (state, error) = match &standing.state {
            GatewayState::Deployed => ("DEPLOYED", None),
            GatewayState::Failed(error) => ("FAILED", Some(error.clone())),
            GatewayState::Pending => ("PENDING", None),
        };
        let acknowledged_time = standing.at.map(|at| at.as_millis().to_string());
        Self { gateway_id: standing.gateway_id.clone(), state, error, acknowledged_time }
    }
}

impl From<&RevisionView> for ApiRevisionDto {
    fn from(view: &RevisionView) -> Self {
        Self {
            display_name: format!("Revision {}", view.revision.number),
            id: view.revision.id.to_string(),
            description: view.revision.description.clone(),
            created_time: view.revision.created_at.as_millis().to_string(),
            api_info: ApiRevisionApiInfoDto { id: view.revision.api_id.to_string() },
            deployment_info: view.deployments.iter().map(ApiRevisionDeploymentDto::from).collect(),
        }
    }
}

impl From<&DeploymentView> for ApiRevisionDeploymentDto {
    fn from(view: &DeploymentView) -> Self {
        Self {
            revision_uuid: view.deployment.revision_id.to_string(),
            name: view.deployment.environment.clone(),
            status: "APPROVED",
            vhost: view.deployment.vhost.clone(),
            display_on_devportal: view.deployment.display_on_devportal,
            deployed_time: view.deployment.deployed_at.as_millis().to_string(),
            success_deployed_time: view.counts.succeeded_at.map(|at| at.as_millis().to_string()),
            live_gateway_count: view.counts.live,
            deployed_gateway_count: view.counts.deployed,
            failed_gateway_count: view.counts.failed,
            deployment_state: view.counts.state().as_str(),
            gateways: view.gateways.iter().map(GatewayStandingDto::from).collect(),
        }
    }
}
