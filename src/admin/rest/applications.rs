//! Tags `Application (Collection)`, `Application`, `Applications`: those of all owners.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::{ControlPlane, Page};
use http::answer;
use http::guard::Guarded;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{ApplicationDelete, ApplicationOwnerChange, ApplicationView};
use crate::dto::overview::ApplicationInfoDto;

/// Parameters of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParameters {
    user: Option<String>,
    name: Option<String>,
    tenant_domain: Option<String>,
}

pub async fn get_applications(
    caller: Guarded<ApplicationView>,
    pagination: Pagination,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let ListParameters { user, name, tenant_domain } = parameters.0;
    if let Some(domain) = tenant_domain
        && domain != caller.organization.as_str()
    {
        return Err(Problem::new(domain::error_code::FORBIDDEN, "tenantDomain: only your own tenant can be looked at"));
    }
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let (found, total) = control_plane.list_applications_of_all(&caller, user, name, page).await?;
    let list: Vec<ApplicationInfoDto> = found.iter().map(ApplicationInfoDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(total).unwrap_or(0))))
}

/// Parameters of the change of the owner.
#[derive(Debug, Deserialize)]
pub struct OwnerParameters {
    owner: String,
}

pub async fn change_application_owner(
    caller: Guarded<ApplicationOwnerChange>,
    application_id: Path<String>,
    parameters: QueryParams<OwnerParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.change_application_owner(&caller, &application_id, &parameters.0.owner).await?;
    Ok(answer::done())
}

pub async fn delete_application(
    caller: Guarded<ApplicationDelete>,
    application_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_application_of_any(&caller, &application_id).await?;
    Ok(answer::done())
}
