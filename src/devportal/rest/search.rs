//! Tag `Unified Search`, and the query language of this plane.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::apis::{ApiFilter, ApiSort};
use control_plane::{ControlPlane, Direction, Page};
use domain::search::{InvalidQuery, Key, Query};
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use crate::dto::search_result::ApiSearchResultDto;

/// Parameters of `GET /search`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchParameters {
    query: Option<String>,
}

pub async fn search(
    caller: OptionallyAuthenticated,
    pagination: Pagination,
    parameters: QueryParams<SearchParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (organization, caller) = (caller.organization(), caller.principal());
    let filter = filter(Query::parse_search(parameters.0.query.as_deref().unwrap_or_default()))?;
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let order = (ApiSort::Name, Direction::Ascending);
    let found = control_plane.list_visible_apis(&organization, caller, filter, order, page).await?;
    let list: Vec<ApiSearchResultDto> = found.apis.iter().map(ApiSearchResultDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

/// What `query=` asks for; the states that are shown here are not the caller's choice.
pub(super) fn filter(query: Result<Query, InvalidQuery>) -> Result<ApiFilter, Problem> {
    let query = query.and_then(|query| query.without(&[Key::Status]));
    Ok(ApiFilter { query: query.map_err(|error| Problem::invalid("query", error))?, ..ApiFilter::default() })
}
