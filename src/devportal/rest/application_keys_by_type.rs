//! Tag `Application Keys`, the older operations that name a key by its type; each does what the one by id does.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::keys::KeyRef;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::problem::Problem;

use super::scopes::ApplicationManage;
use crate::dto::application_key::{
    ApplicationKeyChangeDto, ApplicationKeyDto, ApplicationKeyReGenerateResponseDto, ApplicationTokenDto,
    ApplicationTokenGenerateRequestDto,
};

pub async fn get_key(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let view = control_plane.get_key(&caller, &application_id, KeyRef::Type(&key_type)).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn update_key(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    body: JsonBody<ApplicationKeyChangeDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let key = KeyRef::Type(&key_type);
    let view = control_plane.update_key(&caller, &application_id, key, body.0.into()).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn regenerate_secret(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let made = control_plane.regenerate_secret(&caller, &application_id, KeyRef::Type(&key_type)).await?;
    Ok(answer::ok(ApplicationKeyReGenerateResponseDto::from(&made)))
}

pub async fn clean_up(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    control_plane.remove_key(&caller, &application_id, KeyRef::Type(&key_type)).await?;
    Ok(answer::done())
}

pub async fn generate_token(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    body: JsonBody<ApplicationTokenGenerateRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let (key, request) = (KeyRef::Type(&key_type), body.0.into_request()?);
    let token = control_plane.generate_token(&caller, &application_id, key, request).await?;
    Ok(answer::ok(ApplicationTokenDto::from(&token)))
}
