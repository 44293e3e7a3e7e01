//! Tag `API Lifecycle`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{LifecycleChange, LifecycleView};
use crate::dto::lifecycle::{LifecycleStateDto, WorkflowResponseDto};

/// Parameters of `changeAPILifecycle`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeParameters {
    action: String,
    api_id: String,
}

pub async fn change_api_lifecycle(
    caller: Guarded<LifecycleChange>,
    parameters: QueryParams<ChangeParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let api = control_plane.change_lifecycle(&caller, &parameters.0.api_id, &parameters.0.action).await?;
    Ok(answer::ok(WorkflowResponseDto::approved(api.state)))
}

pub async fn get_api_lifecycle_state(
    caller: Guarded<LifecycleView>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let api = control_plane.get_api(&caller, &api_id).await?;
    Ok(answer::ok(LifecycleStateDto::from(api.state)))
}
