//! Tag `Validation`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use control_plane::apis::{DefinitionReport, Taken};
use domain::error_code;
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

/// Parameters of `validateAPI`.
#[derive(Debug, Deserialize)]
pub struct TakenParameters {
    query: String,
}

/// 200 when an API has what the query names, 404 when it is free.
pub async fn validate_api(
    caller: Guarded<ApiCreate>,
    parameters: QueryParams<TakenParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    if control_plane.is_taken(&caller, wish(&parameters.0.query)?).await? {
        return Ok(answer::done());
    }
    Err(Problem::new(error_code::NOT_FOUND, format!("no API has {}", parameters.0.query)))
}

/// Terms `name:`, `context:` and `version:`, of which each value reaches to the next key; without any key a text that
/// starts with a slash is a context, every other a name.
fn wish(query: &str) -> Result<Taken, Problem> {
    let mut wish = Taken::default();
    let mut key = if query.trim_start().starts_with('/') { "context" } else { "name" };
    let mut values: Vec<(&str, Vec<&str>)> = Vec::new();
    for word in query.split_whitespace() {
        let (found, value) = match word.split_once(':') {
            Some((found @ ("name" | "context" | "version"), value)) => (Some(found), value),
            Some((other, _)) if values.is_empty() => {
                return Err(Problem::invalid("query", format!("'{other}' is not one of name, context, version")));
            }
            _ => (None, word),
        };
        if let Some(found) = found {
            key = found;
            values.push((key, Vec::new()));
        } else if values.is_empty() {
            values.push((key, Vec::new()));
        }
        if let Some((_, words)) = values.last_mut() {
            words.push(value);
        }
    }
    for (key, words) in values {
        let value = words.join(" ").trim().trim_matches('"').to_owned();
        let place = match key {
            "context" => &mut wish.context,
            "version" => &mut wish.version,
            _ => &mut wish.name,
        };
        if !value.is_empty() && place.replace(value).is_some() {
            return Err(Problem::invalid("query", format!("names '{key}' twice")));
        }
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_contexts_and_versions_are_told_apart() {
        let read = |query: &str| {
            let wish = wish(query).unwrap();
            (wish.name.unwrap_or_default(), wish.context.unwrap_or_default(), wish.version.unwrap_or_default())
        };
        let texts =
            |name: &str, context: &str, version: &str| (name.to_owned(), context.to_owned(), version.to_owned());
        assert_eq!(read("Pizza Shop"), texts("Pizza Shop", "", ""));
        assert_eq!(read("name:Pizza Shop version:1.0.0"), texts("Pizza Shop", "", "1.0.0"));
        assert_eq!(read("/pizza"), texts("", "/pizza", ""));
        assert_eq!(read("context:\"/pizza\""), texts("", "/pizza", ""));
        assert!(wish("tag:x").unwrap_err().description().starts_with("query: "));
        assert!(wish("name:a name:b").is_err());
    }
}
