//! `OpenAPIDefinitionValidationResponse`.

use control_plane::apis::Uploaded;
use domain::definition::openapi::DefinitionError;
use domain::error_code;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenApiDefinitionValidationResponseDto {
    is_valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<InfoDto>,
    errors: Vec<ErrorListItemDto>,
}

#[derive(Debug, Serialize)]
struct InfoDto {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "openAPIVersion")]
    open_api_version: String,
    endpoints: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ErrorListItemDto {
    code: String,
    message: &'static str,
    description: String,
}

impl OpenApiDefinitionValidationResponseDto {
    pub fn valid(uploaded: &Uploaded, with_content: bool) -> Self {
        let parsed = &uploaded.parsed;
        Self {
            is_valid: true,
            content: with_content.then(|| String::from_utf8_lossy(&uploaded.bytes).into_owned()),
            info: Some(InfoDto {
                name: parsed.info.title.clone(),
                version: parsed.info.version.clone(),
                context: parsed.base_path.clone(),
                description: parsed.info.description.clone(),
                open_api_version: parsed.kind.to_string(),
                endpoints: parsed.servers.clone(),
            }),
            errors: Vec::new(),
        }
    }

    pub fn invalid(errors: &[DefinitionError]) -> Self {
        let errors = errors.iter().map(|error| ErrorListItemDto {
            code: error_code::INVALID_DEFINITION.code.to_string(),
            message: error_code::INVALID_DEFINITION.title,
            description: error.to_string(),
        });
        Self { is_valid: false, content: None, info: None, errors: errors.collect() }
    }
}
