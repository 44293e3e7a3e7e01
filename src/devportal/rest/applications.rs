//! Tag `Applications`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::applications::ApplicationSort;
use control_plane::{ControlPlane, Direction, Page};
use http::answer;
use http::etag::IfMatch;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{ApplicationManage, ApplicationView};
use crate::dto::application::{ApplicationDto, ApplicationInfoDto, ApplicationInputDto};
use crate::routes::BASE_PATH;

/// Parameters of `GET /applications`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParameters {
    /// An exact name.
    query: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

fn order(parameters: &ListParameters) -> Result<(ApplicationSort, Direction), Problem> {
    let sort = match parameters.sort_by.as_deref() {
        None | Some("name") => ApplicationSort::Name,
        Some("throttlingPolicy") => ApplicationSort::ThrottlingPolicy,
        // Every application has the same status.
        Some("status") => ApplicationSort::CreatedAt,
        Some(other) => {
            return Err(Problem::invalid("sortBy", format!("'{other}' is not one of name, throttlingPolicy, status")));
        }
    };
    let direction = match parameters.sort_order.as_deref() {
        None | Some("asc") => Direction::Ascending,
        Some("desc") => Direction::Descending,
        Some(other) => return Err(Problem::invalid("sortOrder", format!("'{other}' is not asc or desc"))),
    };
    Ok((sort, direction))
}

pub async fn get_applications(
    caller: Guarded<ApplicationView>,
    pagination: Pagination,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let order = order(&parameters.0)?;
    if parameters.0.query.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
        return Err(Problem::invalid("query", "must not contain control characters"));
    }
    let found = control_plane.list_applications(&caller, parameters.0.query, order, page).await?;
    let list: Vec<ApplicationInfoDto> = found.applications.iter().map(ApplicationInfoDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

pub async fn create_application(
    caller: Guarded<ApplicationManage>,
    body: JsonBody<ApplicationInputDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.create_application(&caller, body.0.into()).await?;
    let location = format!("{BASE_PATH}/applications/{}", view.application.id);
    Ok(answer::created_tagged(&location, view.application.row_version, ApplicationDto::from(&view)))
}

pub async fn get_application(
    caller: Guarded<ApplicationManage>,
    application_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.get_application(&caller, &application_id).await?;
    Ok(answer::ok_tagged(view.application.row_version, ApplicationDto::from(&view)))
}

pub async fn update_application(
    caller: Guarded<ApplicationManage>,
    application_id: Path<String>,
    condition: IfMatch,
    body: JsonBody<ApplicationInputDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.update_application(&caller, &application_id, condition.versions(), body.0.into()).await?;
    Ok(answer::ok_tagged(view.application.row_version, ApplicationDto::from(&view)))
}

/// `ApplicationThrottleReset`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleResetDto {
    user_name: String,
}

pub async fn reset_throttle_policy(
    caller: Guarded<ApplicationManage>,
    application_id: Path<String>,
    body: JsonBody<ThrottleResetDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.reset_application_throttling(&caller, &application_id, &body.0.user_name).await?;
    Ok(answer::done())
}

pub async fn delete_application(
    caller: Guarded<ApplicationView>,
    application_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_application(&caller, &application_id).await?;
    Ok(answer::done())
}
