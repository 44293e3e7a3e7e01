//! Tag `Application Secrets`.

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
use crate::dto::application_secret::{
    ConsumerSecretCreationRequestDto, ConsumerSecretDeletionRequestDto, ConsumerSecretDto,
};

pub async fn generate_consumer_secret(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    body: JsonBody<ConsumerSecretCreationRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let (lifetime_secs, properties) = body.0.into_request()?;
    let key = KeyRef::Mapping(&key_mapping_id);
    let secret = control_plane.add_secret(&caller, &application_id, key, lifetime_secs, properties).await?;
    Ok(answer::created_without_location(ConsumerSecretDto::from(&secret)))
}

pub async fn get_consumer_secrets(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let secrets = control_plane.list_secrets(&caller, &application_id, KeyRef::Mapping(&key_mapping_id)).await?;
    Ok(answer::ok(WholeListDto::new(secrets.iter().map(ConsumerSecretDto::from).collect())))
}

pub async fn revoke_consumer_secret(
    caller: Guarded<ApplicationManage>,
    ids: Path<(String, String)>,
    body: JsonBody<ConsumerSecretDeletionRequestDto>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (application_id, key_mapping_id) = ids.into_inner();
    let key = KeyRef::Mapping(&key_mapping_id);
    control_plane.revoke_secret(&caller, &application_id, key, &body.0.secret_id).await?;
    Ok(answer::no_content())
}
