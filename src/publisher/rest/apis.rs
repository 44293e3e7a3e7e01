//! Tag `APIs`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use control_plane::apis::{ApiChange, ApiSort};
use control_plane::{ControlPlane, Direction, Page};
use http::answer;
use http::etag::{IfMatch, IfNoneMatch};
use http::guard::Guarded;
use http::json::{self, JsonBody};
use http::multipart::Form;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::scopes::{ApiCreate, ApiDefinitionView, ApiDelete, ApiListView, ApiUpdate, ApiView};
use super::{definition_form, search};
use crate::dto::api::{ApiDto, ApiInput};
use crate::dto::api_info::ApiInfoDto;
use crate::routes::BASE_PATH;

/// Parameters of `getAllAPIs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListParameters {
    query: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

pub async fn get_all_apis(
    caller: Guarded<ApiListView>,
    pagination: Pagination,
    parameters: QueryParams<ListParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let filter = search::filter(parameters.0.query.as_deref())?;
    let order = order(&parameters.0)?;
    let page = Page { offset: pagination.offset, limit: pagination.limit };
    let found = control_plane.list_apis(&caller, filter, order, page).await?;
    let list: Vec<ApiInfoDto> = found.apis.iter().map(ApiInfoDto::from).collect();
    Ok(answer::ok(pagination.envelope(list, u64::try_from(found.total).unwrap_or(0))))
}

fn order(parameters: &ListParameters) -> Result<(ApiSort, Direction), Problem> {
    let sort = match parameters.sort_by.as_deref() {
        None | Some("createdTime") => ApiSort::CreatedAt,
        Some("apiName") => ApiSort::Name,
        Some("version") => ApiSort::Version,
        Some("status") => ApiSort::State,
        Some(other) => {
            let reason = format!("'{other}' is not one of apiName, version, createdTime, status");
            return Err(Problem::invalid("sortBy", reason));
        }
    };
    let direction = match parameters.sort_order.as_deref() {
        None | Some("desc") => Direction::Descending,
        Some("asc") => Direction::Ascending,
        Some(other) => return Err(Problem::invalid("sortOrder", format!("'{other}' is not asc or desc"))),
    };
    Ok((sort, direction))
}

pub async fn create_api(
    caller: Guarded<ApiCreate>,
    body: JsonBody<ApiInput>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let api = control_plane.create_api(&caller, body.0.into_new(None)?, None).await?;
    Ok(created(&api))
}

pub async fn import_open_api_definition(
    caller: Guarded<ApiCreate>,
    form: Form,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let properties = form.text("additionalProperties")?.ok_or_else(|| {
        Problem::invalid("additionalProperties", "is missing: send the API's name, version and context")
    })?;
    let mut properties: Map<String, Value> = json::parse(properties.as_bytes())?;
    let uploaded = control_plane.read_definition(definition_form::source(&form)?).await?;
    for (field, fallback) in [("name", &uploaded.parsed.info.title), ("version", &uploaded.parsed.info.version)] {
        properties.entry(field).or_insert_with(|| Value::String(fallback.clone()));
    }
    let input: ApiInput = json::parse(Value::Object(properties).to_string().as_bytes())?;
    let api = control_plane.create_api(&caller, input.into_new(Some(&uploaded.parsed))?, Some(uploaded)).await?;
    Ok(created(&api))
}

fn created(api: &domain::api::Api) -> HttpResponse {
    answer::created_tagged(&format!("{BASE_PATH}/apis/{}", api.id), api.row_version, ApiDto(api))
}

pub async fn get_api(
    caller: Guarded<ApiView>,
    api_id: Path<String>,
    known: IfNoneMatch,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let api = control_plane.get_api(&caller, &api_id).await?;
    if known.has(api.row_version) {
        return Ok(answer::not_modified(api.row_version));
    }
    Ok(answer::ok_tagged(api.row_version, ApiDto(&api)))
}

pub async fn update_api(
    caller: Guarded<ApiUpdate>,
    api_id: Path<String>,
    condition: IfMatch,
    body: JsonBody<ApiInput>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.into_new(None)?;
    let change = ApiChange { is_default_version: new.is_default_version, details: new.details };
    let api = control_plane.update_api(&caller, &api_id, condition.versions(), change).await?;
    Ok(answer::ok_tagged(api.row_version, ApiDto(&api)))
}

pub async fn delete_api(
    caller: Guarded<ApiDelete>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    control_plane.delete_api(&caller, &api_id).await?;
    Ok(answer::done())
}

pub async fn get_api_swagger(
    caller: Guarded<ApiDefinitionView>,
    api_id: Path<String>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let api = control_plane.get_api(&caller, &api_id).await?;
    Ok(answer::ok(control_plane.publisher_definition(&api).await?))
}
