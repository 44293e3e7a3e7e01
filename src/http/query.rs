//! Query parameters.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Most parameters that are looked at.
const PARAMETERS_MAX: usize = 100;

/// The query string as `T`. Unknown parameters are ignored and empty ones count as absent; everything else that does
/// not fit is a 400 that names the parameter.
#[derive(Debug, Clone)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned> FromRequest for QueryParams<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs(query)).finish();
    let deserializer = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        Problem::invalid(if path == "." { "query" } else { &path }, reason)
    })
}

/// The parameters that have a value, decoded.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(_, value)| !value.is_empty())
        .take(PARAMETERS_MAX)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Filter {
        api_id: Option<String>,
        default_version: Option<bool>,
    }

    #[test]
    fn parameters_are_decoded_and_empty_ones_are_absent() {
        let filter: Filter = parse("apiId=a%20b&defaultVersion=&other=1").unwrap();
        assert_eq!((filter.api_id.as_deref(), filter.default_version), (Some("a b"), None));
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let error = parse::<Filter>("defaultVersion=maybe").unwrap_err();
        assert_eq!(error.description(), "defaultVersion: provided string was not `true` or `false`");
    }
}
