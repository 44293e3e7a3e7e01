//! Tag `APIs`: what anybody may see of published APIs.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::apis::ApiSort;
use control_plane::{ControlPlane, Direction, Page};
use domain::search::Query;
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::search::filter;
use crate::dto::api::{ApiDto, gateway_urls};
use crate::dto::api_info::ApiInfoDto;

/// Parameters of `GET /apis`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListParameters {
    query: Option<String>,
}

pub async fn get_apis(
    caller: OptionallyAuthenticated,
    pagination: Pagination,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (organization, caller) = (caller.organization(), caller.principal());
    let filter = filter(Query::parse(parameters.0.query.as_deref().unwrap_or_default()))?;
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let order = (ApiSort::Name, Direction::Ascending);
    let found = control_plane.list_visible_apis(&organization, caller, filter, order, page).await?;
    let list: Vec<ApiInfoDto> = found.apis.iter().map(ApiInfoDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

pub async fn get_api(
    caller: OptionallyAuthenticated,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (organization, caller) = (caller.organization(), caller.principal());
    let api = control_plane.get_visible_api(&organization, caller, &api_id).await?;
    Ok(answer::ok(ApiDto::new(&api, control_plane.environments())))
}

/// Parameters of `GET /apis/{apiId}/swagger`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SwaggerParameters {
    environment_name: Option<String>,
}

pub async fn get_api_swagger(
    caller: OptionallyAuthenticated,
    api_id: Path<String>,
    parameters: QueryParams<SwaggerParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (organization, caller) = (caller.organization(), caller.principal());
    let api = control_plane.get_visible_api(&organization, caller, &api_id).await?;
    let wished = parameters.0.environment_name.as_deref();
    let environments: Vec<_> = control_plane
        .environments()
        .iter()
        .filter(|environment| wished.is_none_or(|name| environment.name == name))
        .collect();
    if environments.is_empty() {
        return Err(Problem::invalid("environmentName", "there is no such environment"));
    }
    let servers: Vec<String> =
        environments.into_iter().flat_map(|environment| gateway_urls(&api, environment)).collect();
    Ok(answer::ok(control_plane.devportal_definition(&api, &servers).await?))
}
