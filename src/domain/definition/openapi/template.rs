//! Path templates: `/menu/{id}`.

/// A template taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template<'a> {
    /// Names of the variables in order, each once.
    pub names: Vec<&'a str>,
    /// A name that stands there twice: documents of 3.0 and 3.1 may do so, later ones may not.
    pub repeated: Option<&'a str>,
    /// The template with all names taken out: equal shapes match the same paths.
    pub shape: String,
}

impl<'a> Template<'a> {
    /// Takes a key of `paths` apart, or says which rule it breaks.
    pub(super) fn parse(path: &'a str) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err("a path must begin with '/'".to_owned());
        }
        if let Some(c) = path.chars().find(|c| c.is_control() || matches!(c, '?' | '#' | '\\')) {
            return Err(format!("a path must not contain {c:?}"));
        }
        let mut names = Vec::new();
        let mut repeated = None;
        let mut shape = String::new();
        let mut rest = path;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(at);
            let Some(inner) = from_brace.strip_prefix('{') else { return Err("'}' without '{'".to_owned()) };
            let end = inner.find(['{', '}', '/']).filter(|end| inner[*end..].starts_with('}'));
            let Some(end) = end else { return Err("'{' without '}'".to_owned()) };
            let name = &inner[..end];
            if name.is_empty() {
                return Err("a path variable needs a name".to_owned());
            }
            if names.contains(&name) {
                repeated = Some(name);
            } else {
                names.push(name);
            }
            shape.push_str(before);
            shape.push_str("{}");
            rest = &inner[end + 1..];
        }
        shape.push_str(rest);
        Ok(Self { names, repeated, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_shape_are_found() {
        let template = Template::parse("/a/{b}/c-{d}.{e}/*").unwrap();
        assert_eq!(template.names, ["b", "d", "e"]);
        assert_eq!(template.shape, "/a/{}/c-{}.{}/*");
    }

    #[test]
    fn a_name_that_stands_there_twice_is_one_name() {
        let template = Template::parse("/a/{b}/{c}/{b}").unwrap();
        assert_eq!((template.names, template.repeated), (vec!["b", "c"], Some("b")));
        assert_eq!(template.shape, "/a/{}/{}/{}");
    }

    #[test]
    fn unbalanced_and_odd_templates_are_refused() {
        for path in ["a", "", "/{a", "/a}", "/{{a}}", "/{a/b}", "/{}", "/a?b=c", "/a#b", "/a\\b", "/a\nb"] {
            assert!(Template::parse(path).is_err(), "{path:?} was accepted");
        }
    }
}
