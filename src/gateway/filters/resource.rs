//! Which operation of the API a call means.

use hyper::Method;

use crate::fault::Fault;
use crate::router::{BadPath, Election, PathView, Verb};
use crate::table::CompiledApi;

/// The index of the operation for the part of `path` after the context.
pub fn elect(api: &CompiledApi, path: &PathView<'_>, context_length: usize, method: &Method) -> Result<usize, Fault> {
    let verb = Verb::parse(method.as_str());
    let below = path.bytes().get(context_length..).unwrap_or_default();
    let election = api.tree.elect(below, verb);
    if let Some(decoded) = path.with_slashes_decoded() {
        // A back end that takes %2F for a slash must not see another operation than the one that is judged here.
        let other = api.tree.elect(decoded.get(context_length..).unwrap_or_default(), verb);
        if matches!(other, Election::Operation(_)) && other != election {
            return Err(Fault::BadPath(BadPath::EncodedSlash.to_string()));
        }
    }
    match election {
        Election::Operation(index) => Ok(index),
        Election::OtherVerbs(verbs) => Err(Fault::MethodNotAllowed(verbs)),
        Election::Nothing => Err(Fault::NoResource),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::fixture;

    fn elected(path: &str, method: &Method) -> Result<usize, Fault> {
        let mut api = fixture::api("a", "http://localhost:1");
        api.operations = ["/items/{id}", "/items/a/secret", "/open/*"]
            .into_iter()
            .map(|target| fixture::operation("GET", target))
            .collect();
        let api = CompiledApi::build(Arc::new(api)).unwrap();
        elect(&api, &PathView::parse(path).unwrap(), "/a/1.0.0".len(), method)
    }

    #[test]
    fn an_encoded_slash_is_data_unless_it_would_elect_another_operation() {
        assert_eq!(elected("/a/1.0.0/items/x%2Fy", &Method::GET), Ok(0));
        assert_eq!(elected("/a/1.0.0/open/x%2Fy", &Method::GET), Ok(2));
        assert!(matches!(elected("/a/1.0.0/items/a%2fsecret", &Method::GET), Err(Fault::BadPath(_))));
    }

    #[test]
    fn an_encoded_letter_elects_what_the_letter_elects() {
        assert_eq!(elected("/a/1.0.0/items/a/%73ecret", &Method::GET), Ok(1));
    }

    #[test]
    fn an_unknown_path_and_a_wrong_verb_are_told_apart() {
        assert_eq!(elected("/a/1.0.0/nothing", &Method::GET), Err(Fault::NoResource));
        assert!(matches!(elected("/a/1.0.0/items/1", &Method::HEAD), Err(Fault::MethodNotAllowed(_))));
    }
}
