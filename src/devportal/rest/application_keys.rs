//! Tag `Application Keys`. What is done with one key is done alike whether the path names it by its mapping or, as older
//! operations do, by its type.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::WholeListDto;
use http::problem::Problem;

use super::key_path::KeyPath;
use super::scopes::ApplicationManage;
use crate::dto::application_key::{
    ApplicationKeyChangeDto, ApplicationKeyDto, ApplicationKeyGenerateRequestDto, ApplicationKeyMappingRequestDto,
    ApplicationKeyReGenerateResponseDto,
};

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
    key: Path<KeyPath>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.get_key(&caller, &key.application_id, key.named()).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn map_keys(
    caller: Guarded<ApplicationManage>,
    application_id: Path<String>,
    body: JsonBody<ApplicationKeyMappingRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.map_keys(&caller, &application_id, body.0.into()).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn update_key(
    caller: Guarded<ApplicationManage>,
    key: Path<KeyPath>,
    body: JsonBody<ApplicationKeyChangeDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let view = control_plane.update_key(&caller, &key.application_id, key.named(), body.0.into()).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn regenerate_secret(
    caller: Guarded<ApplicationManage>,
    key: Path<KeyPath>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let made = control_plane.regenerate_secret(&caller, &key.application_id, key.named()).await?;
    Ok(answer::ok(ApplicationKeyReGenerateResponseDto::from(&made)))
}

/// Removes the key as [`delete_key`] does: a key is never half there, so nothing else can be cleaned up.
pub async fn clean_up(
    caller: Guarded<ApplicationManage>,
    key: Path<KeyPath>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.remove_key(&caller, &key.application_id, key.named()).await?;
    Ok(answer::done())
}

/// Not of the specification; the developer portal calls it.
pub async fn delete_key(
    caller: Guarded<ApplicationManage>,
    key: Path<KeyPath>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.remove_key(&caller, &key.application_id, key.named()).await?;
    Ok(answer::done())
}
