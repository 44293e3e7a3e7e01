//! Tag `Application Keys`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::WholeListDto;
use http::problem::Problem;

use super::scopes::ApplicationManage;
use crate::dto::application_key::{ApplicationKeyDto, ApplicationKeyGenerateRequestDto};

/// 200, as the contract says, although it creates something.
pub async fn generate_keys(
    caller: Guarded<ApplicationManage>,
    application_id: Path<String>,
    body: JsonBody<ApplicationKeyGenerateRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.generate_keys(&caller, &application_id, body.0.into_request()?).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn get_keys(
    caller: Guarded<ApplicationManage>,
    application_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let views = control_plane.list_keys(&caller, &application_id).await?;
    Ok(answer::ok(WholeListDto::new(views.iter().map(ApplicationKeyDto::from).collect())))
}

pub async fn get_key(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let view = control_plane.get_key(&caller, &application_id, &key_mapping_id).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}
