//! Tags `Throttling Policy Search`, `Environment Collection`, `Environments`, `Settings`, `Tenants`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use domain::error_code;
use domain::search::Query;
use http::answer;
use http::guard::{Guarded, OptionallyAuthenticated};
use http::pagination::WholeListDto;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{EnvironmentRead, TenantInfo, TierView};
use crate::dto::overview::{EnvironmentDto, SettingsDto, TenantInfoDto, ThrottlePolicyDetailsDto, decoded_username};

/// Parameters of `throttlingPolicySearch`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchParameters {
    pub(super) query: Option<String>,
}

pub async fn throttling_policy_search(
    caller: Guarded<TierView>,
    parameters: QueryParams<SearchParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(parameters.0.query.as_deref().unwrap_or_default());
    let query = query.map_err(|error| Problem::invalid("query", error))?;
    let found = control_plane.search_policies(&caller.organization, query).await?;
    Ok(answer::ok(WholeListDto::new(found.into_iter().enumerate().map(ThrottlePolicyDetailsDto::from).collect())))
}

pub async fn get_environments(
    _caller: Guarded<EnvironmentRead>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let list: Vec<EnvironmentDto> = control_plane.environments().iter().map(EnvironmentDto::from).collect();
    Ok(answer::ok(WholeListDto::new(list)))
}

pub async fn get_environment(
    _caller: Guarded<EnvironmentRead>,
    id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let found = control_plane.environments().iter().find(|environment| environment.name == *id);
    let unknown = || Problem::new(error_code::NOT_FOUND, format!("there is no environment with the id '{id}'"));
    Ok(answer::ok(EnvironmentDto::from(found.ok_or_else(unknown)?)))
}

/// Portals read the list of scopes before anybody has signed in; the rest needs a caller.
pub async fn get_settings(caller: OptionallyAuthenticated) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(match caller.principal() {
        Some(_) => SettingsDto::whole(),
        None => SettingsDto::anonymous(),
    }))
}

/// `username` comes in base64.
pub async fn get_tenant_info_by_username(
    caller: Guarded<TenantInfo>,
    username: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let tenant = control_plane.tenant_of_user(&caller, decoded_username(&username)?).await?;
    Ok(answer::ok(TenantInfoDto {
        username: tenant.username,
        tenant_domain: tenant.organization.to_string(),
        tenant_id: tenant.tenant_id,
    }))
}
