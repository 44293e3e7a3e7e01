//! Tag `Users`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::problem::Problem;

use super::scopes::Subscribe;
use crate::dto::user::CurrentAndNewPasswordsDto;

pub async fn change_user_password(
    caller: Guarded<Subscribe>,
    body: JsonBody<CurrentAndNewPasswordsDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.change_password(&caller, &body.0.current_password, &body.0.new_password).await?;
    Ok(answer::done())
}
