//! Where a call goes: the back end's base path, then what followed the API's context, byte for byte.

use hyper::Uri;
use hyper::http::uri::{InvalidUri, PathAndQuery};

use crate::table::Backend;

/// The absolute URI of the call; `below` is the raw path after the context, empty or with a leading slash.
pub fn back_end_uri(backend: &Backend, below: &str, query: Option<&str>) -> Result<Uri, InvalidUri> {
    let query_length = query.map_or(0, |query| query.len() + 1);
    let mut path = String::with_capacity(backend.base_path.len() + below.len() + query_length + 1);
    path.push_str(&backend.base_path);
    path.push_str(below);
    if path.is_empty() {
        path.push('/');
    }
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = hyper::http::uri::Parts::default();
    parts.scheme = Some(backend.scheme.clone());
    parts.authority = Some(backend.authority.clone());
    parts.path_and_query = Some(PathAndQuery::try_from(path)?);
    // All three parts are there, which is the only thing that can be wrong.
    Ok(Uri::from_parts(parts).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::table::CompiledApi;
    use crate::testing::fixture;

    fn uri(endpoint: &str, below: &str, query: Option<&str>) -> String {
        let api = CompiledApi::build(Arc::new(fixture::api("a", endpoint))).unwrap();
        back_end_uri(api.production.as_ref().unwrap(), below, query).unwrap().to_string()
    }

    #[test]
    fn the_path_below_the_context_follows_the_base_path_unchanged() {
        for (endpoint, below, query, expected) in [
            ("http://b:1/v1/", "/menu", None, "http://b:1/v1/menu"),
            ("http://b:1", "/a%2Fb/%7Ex;p=1", Some("q=a%20b&c=%2f"), "http://b:1/a%2Fb/%7Ex;p=1?q=a%20b&c=%2f"),
            ("http://b:1", "", None, "http://b:1/"),
            ("http://b:1/v1", "", Some("q"), "http://b:1/v1?q"),
            ("http://b:1/v1", "/", Some(""), "http://b:1/v1/?"),
            ("https://b/v1", "//x", None, "https://b/v1//x"),
        ] {
            assert_eq!(uri(endpoint, below, query), expected);
        }
    }
}
