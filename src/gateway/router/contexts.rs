//! Contexts of all APIs: the longest one that a path starts with, on segment borders.

use std::collections::HashMap;
use std::sync::Arc;

/// Maps contexts (`/pizza/1.0.0`) to what serves them.
#[derive(Debug, Clone)]
pub struct ContextMap<T> {
    entries: HashMap<Box<[u8]>, Arc<T>>,
    /// Most segments of a context.
    depth_max: usize,
}

impl<T> Default for ContextMap<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), depth_max: 0 }
    }
}

impl<T> ContextMap<T> {
    /// Adds a context unless it is taken; says whether it was free.
    pub fn insert_if_free(&mut self, context: &str, entry: &Arc<T>) -> bool {
        if self.entries.contains_key(context.as_bytes()) {
            return false;
        }
        self.depth_max = self.depth_max.max(context.matches('/').count());
        self.entries.insert(context.as_bytes().into(), Arc::clone(entry));
        true
    }

    /// What serves the path, and the length of its context.
    #[must_use]
    pub fn find(&self, path: &[u8]) -> Option<(&Arc<T>, usize)> {
        let too_deep = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').nth(self.depth_max);
        let mut end = too_deep.map_or(path.len(), |(offset, _)| offset);
        while end > 0 {
            let candidate = path.get(..end)?;
            if let Some(entry) = self.entries.get(candidate) {
                return Some((entry, end));
            }
            end = candidate.iter().rposition(|byte| *byte == b'/')?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(contexts: &[&str]) -> ContextMap<String> {
        let mut map = ContextMap::default();
        for context in contexts {
            assert!(map.insert_if_free(context, &Arc::new((*context).to_owned())));
        }
        map
    }

    #[test]
    fn the_longest_context_on_a_segment_border_wins() {
        let map = map(&["/x", "/x/v1", "/x/v1/v1", "/t/acme/x/1"]);
        for (path, context) in [
            ("/x", "/x"),
            ("/x/", "/x"),
            ("/x/v2/a", "/x"),
            ("/x/v1", "/x/v1"),
            ("/x/v1/a/b/c/d", "/x/v1"),
            ("/x/v1/v1/a", "/x/v1/v1"),
            ("/x/v11", "/x"),
            ("/t/acme/x/1/y", "/t/acme/x/1"),
        ] {
            let (found, length) = map.find(path.as_bytes()).unwrap();
            assert_eq!((found.as_str(), length), (context, context.len()), "{path}");
        }
    }

    #[test]
    fn what_starts_with_no_context_is_not_found() {
        let map = map(&["/pizza/1.0.0"]);
        for path in ["/", "/pizza", "/pizza/1.0", "/pizza/1.0.01", "//pizza/1.0.0", "/Pizza/1.0.0"] {
            assert!(map.find(path.as_bytes()).is_none(), "{path}");
        }
        assert!(ContextMap::<String>::default().find(b"/a").is_none());
    }

    #[test]
    fn a_taken_context_is_not_overwritten() {
        let mut map = map(&["/x/v1"]);
        assert!(!map.insert_if_free("/x/v1", &Arc::new("other".to_owned())));
        assert_eq!(map.find(b"/x/v1").unwrap().0.as_str(), "/x/v1");
    }
}
