//! Tag `APIs`: new versions of an API, and new definitions for one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::ControlPlane;
use control_plane::apis::DefaultVersion;
use http::answer;
use http::etag::IfMatch;
use http::guard::Guarded;
use http::multipart::Form;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::definition_form;
use super::scopes::ApiCreate;
use crate::dto::api::ApiDto;
use crate::routes::BASE_PATH;

/// Parameters of `createNewAPIVersion`. `serviceVersion` speaks of the service catalog, which has no services here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyParameters {
    api_id: String,
    new_version: String,
    #[serde(default)]
    default_version: bool,
}

pub async fn create_new_api_version(
    caller: Guarded<ApiCreate>,
    parameters: QueryParams<CopyParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let wish = parameters.0;
    let default = if wish.default_version { DefaultVersion::Takes } else { DefaultVersion::Leaves };
    let api = control_plane.copy_api(&caller, &wish.api_id, &wish.new_version, default).await?;
    Ok(answer::created_tagged(&format!("{BASE_PATH}/apis/{}", api.id), api.row_version, ApiDto(&api)))
}

pub async fn update_api_swagger(
    caller: Guarded<ApiCreate>,
    api_id: Path<String>,
    condition: IfMatch,
    form: Form,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let uploaded = control_plane.read_definition(definition_form::replacement(&form)?).await?;
    let api = control_plane.replace_definition(&caller, &api_id, condition.versions(), uploaded).await?;
    let definition = control_plane.publisher_definition(&api).await?;
    Ok(answer::ok_tagged(api.row_version, definition))
}
