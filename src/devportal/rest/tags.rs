//! Tag `Tags`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::{ControlPlane, Page};
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::pagination::Pagination;
use http::problem::Problem;

use crate::dto::tag::TagDto;

pub async fn get_tags(
    caller: OptionallyAuthenticated,
    pagination: Pagination,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (organization, caller) = (caller.organization(), caller.principal());
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let found = control_plane.list_tags(&organization, caller, page).await?;
    let list: Vec<TagDto> = found.tags.into_iter().map(TagDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}
