//! Tag `Validation`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use control_plane::apis::DefinitionReport;
use http::answer;
use http::guard::Guarded;
use http::multipart::Form;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::definition_form;
use super::scopes::ApiCreate;
use crate::dto::definition::OpenApiDefinitionValidationResponseDto;

/// Parameters of `validateOpenAPIDefinition`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValidateParameters {
    return_content: bool,
}

/// Answers 200 also for an invalid document, with what is wrong.
pub async fn validate_open_api_definition(
    _: Guarded<ApiCreate>,
    parameters: QueryParams<ValidateParameters>,
    form: Form,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let report = control_plane.validate_definition(definition_form::source(&form)?).await?;
    Ok(answer::ok(match &report {
        DefinitionReport::Valid(uploaded) => {
            OpenApiDefinitionValidationResponseDto::valid(uploaded, parameters.0.return_content)
        }
        DefinitionReport::Invalid(errors) => OpenApiDefinitionValidationResponseDto::invalid(errors),
    }))
}
