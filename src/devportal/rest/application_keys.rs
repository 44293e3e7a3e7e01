//! Tag `Application Keys`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::keys::KeyRef;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::pagination::WholeListDto;
use http::problem::Problem;

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
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let view = control_plane.get_key(&caller, &application_id, KeyRef::Mapping(&key_mapping_id)).await?;
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
    ids: Path<(String, String)>,
    body: JsonBody<ApplicationKeyChangeDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let key = KeyRef::Mapping(&key_mapping_id);
    let view = control_plane.update_key(&caller, &application_id, key, body.0.into()).await?;
    Ok(answer::ok(ApplicationKeyDto::from(&view)))
}

pub async fn regenerate_secret(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let key = KeyRef::Mapping(&key_mapping_id);
    let made = control_plane.regenerate_secret(&caller, &application_id, key).await?;
    Ok(answer::ok(ApplicationKeyReGenerateResponseDto::from(&made)))
}

/// Removes the key as [`delete_key`] does: a key is never half there, so nothing else can be cleaned up.
pub async fn clean_up(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    control_plane.remove_key(&caller, &application_id, KeyRef::Mapping(&key_mapping_id)).await?;
    Ok(answer::done())
}

/// Not of the specification; the developer portal calls it.
pub async fn delete_key(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    control_plane.remove_key(&caller, &application_id, KeyRef::Mapping(&key_mapping_id)).await?;
    Ok(answer::done())
}
