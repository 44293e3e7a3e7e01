//! Tags `Tenant Config` and `Tenant Config Schema`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::problem::Problem;
use serde_json::{Map, Value};

use super::scopes::TenantManage;

pub async fn export_tenant_config(
    caller: Guarded<TenantManage>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let config = control_plane.get_tenant_config(&caller).await?;
    Ok(answer::ok(config.document()))
}

pub async fn update_tenant_config(
    caller: Guarded<TenantManage>,
    body: JsonBody<Map<String, Value>>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let config = control_plane.update_tenant_config(&caller, body.0).await?;
    Ok(answer::ok(config.document()))
}

pub async fn export_tenant_config_schema(_caller: Guarded<TenantManage>) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(domain::tenant::config_schema()))
}
