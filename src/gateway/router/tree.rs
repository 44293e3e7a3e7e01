//! The operations of one API as a tree of path segments.
//!
//! More specific wins at every segment: literal, then text mixed with parameters, then a parameter, then `/*`. The
//! search goes back when the more specific branch has no operation for the verb, so that `GET /a/{id}` takes
//! `GET /a/me` when only `POST /a/me` is declared. A node is visited at most once, so a search costs at most the
//! size of the tree.

use super::template::{InvalidTemplate, Mixed, Segment, Template};
use super::{Election, Verb, VerbSet};

/// See the module's text.
#[derive(Debug, Clone)]
pub struct OperationTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Sorted by text.
    literals: Vec<(Box<[u8]>, usize)>,
    /// The longest text first.
    mixed: Vec<(Mixed, usize)>,
    parameter: Option<usize>,
    /// Operations whose template ends here.
    exact: Leaf,
    /// Operations whose template goes on with `/*` here.
    open_ended: Leaf,
}

#[derive(Debug, Clone, Default)]
struct Leaf {
    verbs: VerbSet,
    operations: Vec<(Verb, usize)>,
}

const ROOT: usize = 0;

impl OperationTree {
    /// Takes each operation's verb and template; operations are known by their place in the list. Of two that match
    /// the same requests the first counts.
    pub fn build<'a>(operations: impl IntoIterator<Item = (Verb, &'a str)>) -> Result<Self, InvalidTemplate> {
        let mut tree = Self { nodes: vec![Node::default()] };
        for (index, (verb, target)) in operations.into_iter().enumerate() {
            let template = Template::parse(target)?;
            let mut node = ROOT;
            for segment in template.segments {
                node = tree.child(node, segment);
            }
            if let Some(node) = tree.nodes.get_mut(node) {
                let leaf = if template.open_ended { &mut node.open_ended } else { &mut node.exact };
                leaf.insert(verb, index);
            }
        }
        Ok(tree)
    }

    /// The operation for a path below the API's context (decoded; empty or with a leading slash).
    #[must_use]
    pub fn elect(&self, path: &[u8], verb: Option<Verb>) -> Election {
        let rest = match path.strip_prefix(b"/") {
            None | Some([]) => None,
            Some(rest) => Some(rest),
        };
        let mut seen = VerbSet::default();
        match self.search(ROOT, rest, verb, &mut seen) {
            Some(operation) => Election::Operation(operation),
            None if seen.is_empty() => Election::Nothing,
            None => Election::OtherVerbs(seen),
        }
    }

    /// The child for a segment, made when it is missing.
    fn child(&mut self, parent: usize, segment: Segment) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(parent) else { return parent };
        let child = match segment {
            Segment::Literal(text) => match node.literals.binary_search_by(|(own, _)| own.cmp(&text)) {
                Ok(place) => node.literals.get(place).map_or(next, |(_, child)| *child),
                Err(place) => {
                    node.literals.insert(place, (text, next));
                    next
                }
            },
            Segment::Mixed(mixed) => match node.mixed.iter().find(|(own, _)| *own == mixed) {
                Some((_, child)) => *child,
                None => {
                    let place = node.mixed.partition_point(|(own, _)| own.text_length() >= mixed.text_length());
                    node.mixed.insert(place, (mixed, next));
                    next
                }
            },
            Segment::Parameter => *node.parameter.get_or_insert(next),
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Depth-first; `rest` is `None` when all segments are used up. Verbs of operations that match but for their verb
    /// are added to `seen`.
    fn search(&self, node: usize, rest: Option<&[u8]>, verb: Option<Verb>, seen: &mut VerbSet) -> Option<usize> {
        let node = self.nodes.get(node)?;
        let Some(rest) = rest else {
            return node.exact.find(verb, seen).or_else(|| node.open_ended.find(verb, seen));
        };
        let (segment, rest) = match rest.iter().position(|byte| *byte == b'/') {
            Some(slash) => (rest.get(..slash).unwrap_or_default(), rest.get(slash + 1..)),
            None => (rest, None),
        };
        if let Ok(place) = node.literals.binary_search_by(|(text, _)| (**text).cmp(segment))
            && let Some((_, child)) = node.literals.get(place)
            && let Some(found) = self.search(*child, rest, verb, seen)
        {
            return Some(found);
        }
        for (mixed, child) in &node.mixed {
            if mixed.matches(segment)
                && let Some(found) = self.search(*child, rest, verb, seen)
            {
                return Some(found);
            }
        }
        if let Some(child) = node.parameter
            && !segment.is_empty()
            && let Some(found) = self.search(child, rest, verb, seen)
        {
            return Some(found);
        }
        node.open_ended.find(verb, seen)
    }
}

impl Leaf {
    fn insert(&mut self, verb: Verb, operation: usize) {
        if !self.verbs.contains(verb) {
            self.verbs.insert(verb);
            self.operations.push((verb, operation));
        }
    }

    fn find(&self, verb: Option<Verb>, seen: &mut VerbSet) -> Option<usize> {
        if let Some(verb) = verb
            && self.verbs.contains(verb)
        {
            return self.operations.iter().find(|(own, _)| *own == verb).map(|(_, operation)| *operation);
        }
        *seen = seen.union(self.verbs);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(operations: &[(&str, &str)]) -> OperationTree {
        OperationTree::build(operations.iter().map(|(verb, target)| (Verb::parse(verb).unwrap(), *target))).unwrap()
    }

    fn get(tree: &OperationTree, path: &str) -> Election {
        tree.elect(path.as_bytes(), Some(Verb::Get))
    }

    #[test]
    fn the_most_specific_template_wins() {
        let tree = tree(&[
            ("GET", "/*"),
            ("GET", "/users/{id}"),
            ("GET", "/users/me"),
            ("GET", "/users/{id}:activate"),
            ("GET", "/users/{id}.json"),
            ("GET", "/users/*"),
        ]);
        for (path, operation) in [
            ("/users/me", 2),
            ("/users/7", 1),
            ("/users/7:activate", 3),
            ("/users/7.json", 4),
            ("/users/7/posts", 5),
            ("/users", 5),
            ("/users/", 5),
            ("/other", 0),
            ("/", 0),
            ("", 0),
        ] {
            assert_eq!(get(&tree, path), Election::Operation(operation), "{path}");
        }
    }

    #[test]
    fn a_star_matches_its_bare_parent_and_everything_below() {
        let tree = tree(&[("GET", "/menu/*")]);
        for path in ["/menu", "/menu/", "/menu/a", "/menu/a/b"] {
            assert_eq!(get(&tree, path), Election::Operation(0), "{path}");
        }
        assert_eq!(get(&tree, "/menus"), Election::Nothing);
        assert_eq!(get(&tree, "/"), Election::Nothing);
    }

    #[test]
    fn templates_that_differ_in_parameter_names_only_share_their_verbs() {
        let tree = tree(&[("GET", "/a/{id}"), ("POST", "/a/{name}"), ("GET", "/a/{other}")]);
        assert_eq!(get(&tree, "/a/1"), Election::Operation(0));
        assert_eq!(tree.elect(b"/a/1", Some(Verb::Post)), Election::Operation(1));
        let Election::OtherVerbs(verbs) = tree.elect(b"/a/1", Some(Verb::Delete)) else { panic!() };
        assert_eq!(verbs.to_string(), "GET, POST");
    }

    #[test]
    fn a_more_specific_template_without_the_verb_gives_way() {
        let tree = tree(&[("GET", "/a/{id}/x"), ("POST", "/a/me/x"), ("GET", "/a/me/y")]);
        assert_eq!(get(&tree, "/a/me/x"), Election::Operation(0));
        assert_eq!(tree.elect(b"/a/me/x", Some(Verb::Post)), Election::Operation(1));
        assert_eq!(get(&tree, "/a/me/z"), Election::Nothing);
    }

    #[test]
    fn an_unknown_method_is_another_verb() {
        assert!(matches!(tree(&[("GET", "/a")]).elect(b"/a", None), Election::OtherVerbs(_)));
    }

    #[test]
    fn the_root_is_matched_with_and_without_its_slash_but_other_paths_are_exact() {
        let tree = tree(&[("GET", "/"), ("GET", "/a")]);
        assert_eq!(get(&tree, ""), Election::Operation(0));
        assert_eq!(get(&tree, "/"), Election::Operation(0));
        assert_eq!(get(&tree, "/a/"), Election::Nothing);
        assert_eq!(get(&tree, "//a"), Election::Nothing);
    }

    #[test]
    fn a_parameter_takes_no_empty_segment() {
        let tree = tree(&[("GET", "/a/{id}/b")]);
        assert_eq!(get(&tree, "/a//b"), Election::Nothing);
    }

    #[test]
    fn thousands_of_operations_are_each_found() {
        let targets: Vec<String> = (0..3000).map(|n| format!("/r{}/{{id}}/s{n}/{{name}}.v{n}", n % 50)).collect();
        let tree = OperationTree::build(targets.iter().map(|target| (Verb::Get, target.as_str()))).unwrap();
        for n in 0..3000 {
            let path = format!("/r{}/5/s{n}/x.v{n}", n % 50);
            assert_eq!(get(&tree, &path), Election::Operation(n), "{path}");
        }
    }

    #[test]
    fn a_hostile_path_costs_no_more_than_the_tree() {
        let targets: Vec<String> = (0..20).map(|n| "/{a}".repeat(n) + "/x").collect();
        let tree = OperationTree::build(targets.iter().map(|target| (Verb::Get, target.as_str()))).unwrap();
        assert_eq!(get(&tree, &"/x".repeat(30_000)), Election::Nothing);
    }
}
