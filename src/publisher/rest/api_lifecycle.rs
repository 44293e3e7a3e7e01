//! Tag `API Lifecycle`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::lifecycle_checklist::Checklist;
use http::answer;
use http::guard::Guarded;
use http::pagination::WholeListDto;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{LifecycleChange, LifecycleHistoryView, LifecycleView};
use crate::dto::lifecycle::{LifecycleHistoryItemDto, LifecycleStateDto, WorkflowResponseDto};

/// Parameters of `changeAPILifecycle`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeParameters {
    action: String,
    lifecycle_checklist: Option<String>,
    api_id: String,
}

pub async fn change_api_lifecycle(
    caller: Guarded<LifecycleChange>,
    parameters: QueryParams<ChangeParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let checklist = Checklist::parse(parameters.0.lifecycle_checklist.as_deref().unwrap_or_default())?;
    control_plane.change_lifecycle(&caller, &parameters.0.api_id, &parameters.0.action, checklist).await?;
    let view = control_plane.lifecycle_view(&caller, &parameters.0.api_id).await?;
    Ok(answer::ok(WorkflowResponseDto::approved(view)))
}

pub async fn get_api_lifecycle_state(
    caller: Guarded<LifecycleView>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.lifecycle_view(&caller, &api_id).await?;
    Ok(answer::ok(LifecycleStateDto::from(view)))
}

pub async fn get_api_lifecycle_history(
    caller: Guarded<LifecycleHistoryView>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let history = control_plane.lifecycle_history(&caller, &api_id).await?;
    Ok(answer::ok(WholeListDto::new(history.iter().map(LifecycleHistoryItemDto::from).collect())))
}
