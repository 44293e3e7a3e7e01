//! `generate-key` of tag `APIs`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use http::answer;
use http::guard::Guarded;
use http::problem::Problem;

use super::scopes::InternalKeyCreate;
use crate::dto::internal_key::ApiKeyDto;

pub async fn generate_internal_api_key(
    caller: Guarded<InternalKeyCreate>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let key = control_plane.generate_internal_key(&caller, &api_id).await?;
    Ok(answer::ok(ApiKeyDto::from(&key)))
}
