//! Tag `Settings`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::problem::Problem;

use crate::dto::settings::SettingsDto;

/// The portal reads them before anybody has signed in.
pub async fn get_settings(
    caller: OptionallyAuthenticated,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let key_manager = control_plane.resident_key_manager(&caller.organization());
    Ok(answer::ok(SettingsDto::new(control_plane.environments(), key_manager.grant_types)))
}
