//! Tag `Scopes`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use control_plane::{ControlPlane, Page};
use domain::error_code;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::Pagination;
use http::problem::Problem;

use super::scopes::{SharedScopeCheck, SharedScopeManage, SharedScopeView};
use crate::dto::scope::{ScopeDto, ScopeInput};
use crate::routes::BASE_PATH;

pub async fn get_shared_scopes(
    caller: Guarded<SharedScopeView>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let found = control_plane.list_shared_scopes(&caller, page).await?;
    let list: Vec<ScopeDto> = found.scopes.iter().map(ScopeDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

pub async fn add_shared_scope(
    caller: Guarded<SharedScopeManage>,
    body: JsonBody<ScopeInput>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.create_shared_scope(&caller, body.0.into()).await?;
    Ok(answer::created(&format!("{BASE_PATH}/scopes/{}", view.scope.id), ScopeDto::from(&view)))
}

pub async fn get_shared_scope(
    caller: Guarded<SharedScopeView>,
    scope_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(ScopeDto::from(&control_plane.get_shared_scope(&caller, &scope_id).await?)))
}

pub async fn update_shared_scope(
    caller: Guarded<SharedScopeManage>,
    scope_id: Path<String>,
    body: JsonBody<ScopeInput>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(ScopeDto::from(&control_plane.update_shared_scope(&caller, &scope_id, body.0.into()).await?)))
}

pub async fn delete_shared_scope(
    caller: Guarded<SharedScopeManage>,
    scope_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_shared_scope(&caller, &scope_id).await?;
    Ok(answer::done())
}

/// The path holds a scope's name in Base64, not an id: 200 when some scope has it.
pub async fn validate_scope(
    caller: Guarded<SharedScopeCheck>,
    name: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let text = name.trim_end_matches('=');
    let decoded = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
    if let Some(name) = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok())
        && control_plane.is_scope_taken(&caller, &name).await?
    {
        return Ok(answer::done());
    }
    Err(Problem::new(error_code::NOT_FOUND, "no scope has this name"))
}
