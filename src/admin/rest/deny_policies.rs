//! Tags `Deny Policies (Collection)` and `Deny Policy (Individual)`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::deny_policies::DenyPolicyQuery;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::WholeListDto;
use http::problem::Problem;
use http::query::QueryParams;

use super::overview::SearchParameters;
use super::scopes::{DenyManage, DenyView};
use crate::dto::deny_policy::{BlockingConditionDto, BlockingConditionStatusDto, NewBlockingConditionDto};
use crate::routes::BASE_PATH;

pub async fn get_all_deny_policies(
    caller: Guarded<DenyView>,
    parameters: QueryParams<SearchParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let query = DenyPolicyQuery::parse(parameters.0.query.as_deref().unwrap_or_default())?;
    let found = control_plane.list_deny_policies(&caller, query).await?;
    Ok(answer::ok(WholeListDto::new(found.iter().map(BlockingConditionDto::from).collect())))
}

pub async fn add_deny_policy(
    caller: Guarded<DenyManage>,
    body: JsonBody<NewBlockingConditionDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let is_active = body.0.condition_status;
    let policy = control_plane.create_deny_policy(&caller, body.0.into_wish()?, is_active).await?;
    let location = format!("{BASE_PATH}/throttling/deny-policy/{}", policy.id);
    Ok(answer::created(&location, BlockingConditionDto::from(&policy)))
}

pub async fn get_deny_policy_by_id(
    caller: Guarded<DenyView>,
    condition_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let policy = control_plane.get_deny_policy(&caller, &condition_id).await?;
    Ok(answer::ok(BlockingConditionDto::from(&policy)))
}

pub async fn remove_deny_policy(
    caller: Guarded<DenyManage>,
    condition_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_deny_policy(&caller, &condition_id).await?;
    Ok(answer::done())
}

pub async fn update_deny_policy(
    caller: Guarded<DenyManage>,
    condition_id: Path<String>,
    body: JsonBody<BlockingConditionStatusDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let policy = control_plane.switch_deny_policy(&caller, &condition_id, body.0.condition_status).await?;
    Ok(answer::ok(BlockingConditionDto::from(&policy)))
}
