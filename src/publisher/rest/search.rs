//! Tag `Unified Search`, and the query language of this plane.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::apis::{ApiFilter, ApiSort};
use control_plane::{ControlPlane, Direction, Page};
use domain::search::Query;
use http::answer;
use http::guard::Guarded;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::ApiView;
use crate::dto::search::ApiSearchResultDto;

/// Parameters of `search`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchParameters {
    query: Option<String>,
}

pub async fn search(
    caller: Guarded<ApiView>,
    pagination: Pagination,
    parameters: QueryParams<SearchParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let filter = filter(parameters.0.query.as_deref())?;
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let order = (ApiSort::Name, Direction::Ascending);
    let found = control_plane.list_apis(&caller, filter, order, page).await?;
    let list: Vec<ApiSearchResultDto> = found.apis.iter().map(ApiSearchResultDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

/// What `query=` asks for.
pub(super) fn filter(query: Option<&str>) -> Result<ApiFilter, Problem> {
    let query = Query::parse(query.unwrap_or_default()).map_err(|error| Problem::invalid("query", error))?;
    Ok(ApiFilter { query, ..ApiFilter::default() })
}
