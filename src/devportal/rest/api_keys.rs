//! Tag `APIKeys`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::{self, JsonBody};
use http::pagination::WholeListDto;
use http::problem::Problem;
use http::raw_body::RawBody;

use super::scopes::ApiKeyManage;
use crate::dto::api_key::{ApiKeyDto, ApiKeyGenerateRequestDto, ApiKeyInfoDto, ApiKeyRevokeRequestDto};

/// 200, as the contract says, although it creates something. The body may be left out.
pub async fn applications_application_id_api_keys_key_type_generate_post(
    caller: Guarded<ApiKeyManage>,
    ids: Path<(String, String)>,
    body: RawBody,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let body = if body.0.is_empty() { ApiKeyGenerateRequestDto::default() } else { json::parse(&body.0)? };
    let request = body.into_request()?;
    let new = control_plane.generate_api_key(&caller, &application_id, &key_type, request).await?;
    Ok(answer::ok(ApiKeyDto::from(&new)))
}

pub async fn get_app_bound_api_keys(
    caller: Guarded<ApiKeyManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let keys = control_plane.list_api_keys(&caller, &application_id, &key_type).await?;
    Ok(answer::ok(WholeListDto::new(keys.iter().map(ApiKeyInfoDto::from).collect())))
}

pub async fn applications_application_id_api_keys_key_type_revoke_post(
    caller: Guarded<ApiKeyManage>,
    ids: Path<(String, String)>,
    body: JsonBody<ApiKeyRevokeRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_type) = ids.into_inner();
    let choice = body.0.into_choice()?;
    control_plane.revoke_api_key(&caller, &application_id, &key_type, choice).await?;
    Ok(answer::done())
}
