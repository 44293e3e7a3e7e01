//! Tag `Tags`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
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
    let counts = control_plane.count_tags(&organization, caller).await?;
    let list: Vec<TagDto> = counts.into_iter().map(TagDto::from).collect();
    Ok(answer::ok(pagination.envelope_of_all(list)))
}
