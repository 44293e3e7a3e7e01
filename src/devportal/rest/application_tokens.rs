//! Tag `Application Tokens`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::keys::KeyRef;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::problem::Problem;

use super::scopes::ApplicationManage;
use crate::dto::application_key::{ApplicationTokenDto, ApplicationTokenGenerateRequestDto};

pub async fn generate_token(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    body: JsonBody<ApplicationTokenGenerateRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let request = body.0.into_request()?;
    let token =
        control_plane.generate_token(&caller, &application_id, KeyRef::Mapping(&key_mapping_id), request).await?;
    Ok(answer::ok(ApplicationTokenDto::from(&token)))
}
