//! Tag `Application Tokens`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::json::JsonBody;
use http::problem::Problem;

use super::key_path::KeyPath;
use super::scopes::ApplicationManage;
use crate::dto::application_key::{ApplicationTokenDto, ApplicationTokenGenerateRequestDto};

pub async fn generate_token(
    caller: Guarded<ApplicationManage>,
    key: Path<KeyPath>,
    body: JsonBody<ApplicationTokenGenerateRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let request = body.0.into_request()?;
    let token = control_plane.generate_token(&caller, &key.application_id, key.named(), request).await?;
    Ok(answer::ok(ApplicationTokenDto::from(&token)))
}
