//! Tenants, for administrators of the super tenant: operations of our own, which the contract does not have.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::Pagination;
use http::problem::Problem;

use super::scopes::TenantManage;
use crate::dto::tenant::{TenantDto, TenantInputDto};
use crate::routes::BASE_PATH;

pub async fn get_tenants(
    caller: Guarded<TenantManage>,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let tenants = control_plane.list_tenants(&caller).await?;
    let list: Vec<TenantDto> = tenants.iter().map(TenantDto::from).collect();
    Ok(answer::ok(pagination.envelope_of_all(list)))
}

pub async fn create_tenant(
    caller: Guarded<TenantManage>,
    body: JsonBody<TenantInputDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let tenant = control_plane.create_tenant(&caller, body.0.into()).await?;
    Ok(answer::created(&format!("{BASE_PATH}/tenants"), TenantDto::from(&tenant)))
}
