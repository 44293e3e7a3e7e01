//! Tag `Key Managers (Collection)`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::pagination::WholeListDto;
use http::problem::Problem;

use super::scopes::Subscribe;
use crate::dto::key_manager::KeyManagerInfoDto;

pub async fn get_key_managers(
    caller: Guarded<Subscribe>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let resident = KeyManagerInfoDto::resident(&control_plane.resident_key_manager(&caller.organization));
    Ok(answer::ok(WholeListDto::new(vec![resident])))
}
