//! Documents that many gateways ask for at the same time, bounded by bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// First in, first out: a deploy makes all gateways ask for one new document at once, old ones are rarely asked for.
#[derive(Debug)]
pub(crate) struct ArtifactCache {
    documents: HashMap<String, Arc<str>>,
    order: VecDeque<String>,
    bytes: usize,
    bytes_max: usize,
}

impl ArtifactCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { documents: HashMap::new(), order: VecDeque::new(), bytes: 0, bytes_max }
    }

    pub(crate) fn find(&self, hash: &str) -> Option<Arc<str>> {
        self.documents.get(hash).cloned()
    }

    /// A document that is larger than the whole cache is not kept.
    pub(crate) fn insert(&mut self, hash: &str, document: Arc<str>) {
        if document.len() > self.bytes_max || self.documents.contains_key(hash) {
            return;
        }
        self.bytes += document.len();
        self.documents.insert(hash.to_owned(), document);
        self.order.push_back(hash.to_owned());
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(document) = self.documents.remove(&oldest) {
                self.bytes -= document.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_documents_go_when_the_bytes_do_not_suffice() {
        let mut cache = ArtifactCache::new(10);
        for hash in ["a", "b", "c"] {
            cache.insert(hash, "1234".into());
        }
        assert_eq!((cache.find("a"), cache.find("c").as_deref()), (None, Some("1234")));
        cache.insert("huge", "12345678901".into());
        assert_eq!(cache.find("huge"), None);
        assert!(cache.find("b").is_some());
    }
}
