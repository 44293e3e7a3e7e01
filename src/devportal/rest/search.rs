//! Tag `Unified Search`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use control_plane::discovery::{SearchField, SearchTerm};
use http::answer;
use http::guard::OptionallyAuthenticated;
use http::pagination::Pagination;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use crate::dto::search_result::ApiSearchResultDto;

/// Most terms of one query.
const TERMS_MAX: usize = 20;

/// Parameters of `GET /search`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchParameters {
    query: Option<String>,
}

/// What a query asks for: `None` when it wants kinds of content that there are none of.
fn terms(query: &str) -> Result<Option<Vec<SearchTerm>>, Problem> {
    let mut terms = Vec::new();
    let mut kinds = Vec::new();
    for word in words(query) {
        let (key, value) = word.split_once(':').unwrap_or(("content", word));
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.unwrap_or_else(|| value.trim_matches('*')).to_owned();
        let field = match key {
            "content" => SearchField::Anywhere,
            "name" => SearchField::Name,
            "version" => SearchField::Version,
            "context" => SearchField::Context,
            "provider" => SearchField::Provider,
            "tag" | "tags" => SearchField::Tag,
            "description" => SearchField::Description,
            "type" => {
                kinds.push(value);
                continue;
            }
            other => return Err(Problem::invalid("query", format!("cannot search by '{other}'"))),
        };
        let is_exact = quoted.is_some() && field != SearchField::Anywhere;
        terms.push(SearchTerm { field, value, is_exact });
    }
    if terms.len() > TERMS_MAX {
        return Err(Problem::invalid("query", format!("has more than {TERMS_MAX} terms")));
    }
    let wants_apis = kinds.is_empty() || kinds.iter().any(|kind| kind.eq_ignore_ascii_case("API"));
    Ok(wants_apis.then_some(terms))
}

/// The query cut at white space outside of quotes.
fn words(query: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    query
        .split(move |c: char| {
            is_quoted ^= c == '"';
            c.is_whitespace() && !is_quoted
        })
        .filter(|word| !word.is_empty())
}

pub async fn search(
    caller: OptionallyAuthenticated,
    pagination: Pagination,
    parameters: QueryParams<SearchParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (organization, caller) = (caller.organization(), caller.principal());
    let found = match terms(parameters.0.query.as_deref().unwrap_or_default())? {
        Some(terms) => control_plane.search_visible_apis(&organization, caller, &terms).await?,
        None => Vec::new(),
    };
    Ok(answer::ok(pagination.envelope_of_all(found.iter().map(ApiSearchResultDto::from).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together_and_make_a_term_exact() {
        let found = terms(r#"name:"Pizza Shop" version:1.0* crust"#).unwrap().unwrap();
        let term = |field, value: &str, is_exact| SearchTerm { field, value: value.to_owned(), is_exact };
        assert_eq!(
            found,
            [
                term(SearchField::Name, "Pizza Shop", true),
                term(SearchField::Version, "1.0", false),
                term(SearchField::Anywhere, "crust", false)
            ]
        );
    }

    #[test]
    fn a_kind_that_is_not_served_finds_nothing_and_an_unknown_key_is_told() {
        assert!(terms(r#"type:"DOC" pizza"#).unwrap().is_none());
        assert!(terms(r#"type:"API" type:"DOC""#).unwrap().is_some());
        assert!(terms("colour:red").is_err());
    }
}
