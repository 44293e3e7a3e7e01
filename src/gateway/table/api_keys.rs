//! API keys by their hash.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use domain::ApplicationId;
use domain::api_key::{ApiKey, RefererPattern};
use domain::network::IpNetwork;

use crate::concurrent_map::ConcurrentMap;

type Digest = [u8; 32];

/// A key with its restrictions ready for use.
#[derive(Debug)]
pub struct ApiKeyEntry {
    pub key: ApiKey,
    /// `user@tenant`, shared with throttle keys.
    pub user: Arc<str>,
    networks: Vec<IpNetwork>,
    referers: Vec<RefererPattern>,
}

/// Looking a key up by the hash of what was presented tells nothing about other keys, however long it takes.
#[derive(Default)]
pub struct ApiKeys(ConcurrentMap<Digest, Arc<ApiKeyEntry>>);

/// Keys of each application, so that its deletion need not search; writers only.
#[derive(Default)]
pub(super) struct KeyIndex(HashMap<ApplicationId, Vec<Digest>>);

impl ApiKeys {
    pub(super) fn load(keys: &[ApiKey]) -> (Self, KeyIndex) {
        let (own, mut index) = (Self::default(), KeyIndex::default());
        keys.iter().for_each(|key| own.add(key, &mut index));
        (own, index)
    }

    /// A key whose hash or restrictions cannot be read opens nothing.
    pub(super) fn add(&self, key: &ApiKey, index: &mut KeyIndex) {
        let (Some(hash), Some(entry)) = (parse(&key.hash), ApiKeyEntry::new(key)) else {
            tracing::error!(api_key.id = %key.id, "an API key cannot be read and is refused");
            return;
        };
        self.0.pin().insert(hash, Arc::new(entry));
        index.0.entry(key.application_id).or_default().push(hash);
    }

    pub(super) fn remove(&self, application: ApplicationId, hash: &str, index: &mut KeyIndex) {
        let Some(hash) = parse(hash) else { return };
        self.0.pin().remove(&hash);
        if let Some(hashes) = index.0.get_mut(&application) {
            hashes.retain(|own| *own != hash);
        }
    }

    pub(super) fn remove_application(&self, application: ApplicationId, index: &mut KeyIndex) {
        for hash in index.0.remove(&application).unwrap_or_default() {
            self.0.pin().remove(&hash);
        }
    }

    /// The key with this text.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Arc<ApiKeyEntry>> {
        if self.0.is_empty() {
            return None;
        }
        let hash: Digest = digest(&SHA256, text.as_bytes()).as_ref().try_into().ok()?;
        self.0.pin().get(&hash).cloned()
    }
}

impl ApiKeyEntry {
    fn new(key: &ApiKey) -> Option<Self> {
        Some(Self {
            user: key.user.as_str().into(),
            networks: key.restrictions.networks().ok()?,
            referers: key.restrictions.referers().ok()?,
            key: key.clone(),
        })
    }

    /// Whether the key may be used from this address, on behalf of a page with this `Referer`.
    #[must_use]
    pub fn permits(&self, client: IpAddr, referer: Option<&str>) -> bool {
        let client = client.to_canonical();
        let is_address = self.networks.is_empty() || self.networks.iter().any(|own| own.contains(client));
        let is_page = || referer.is_some_and(|page| self.referers.iter().any(|own| own.matches(page)));
        is_address && (self.referers.is_empty() || is_page())
    }
}

/// Reads SHA-256 in hexadecimal.
fn parse(hex: &str) -> Option<Digest> {
    let mut hash = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, place) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(place..place + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fixture;

    #[test]
    fn a_key_is_found_by_its_text_until_it_or_its_application_is_gone() {
        let application = ApplicationId::random();
        let (one, other) = (fixture::api_key(application, "one"), fixture::api_key(application, "other"));
        let (keys, mut index) = ApiKeys::load(&[one.clone(), other]);
        assert_eq!(keys.find("one").unwrap().key, one);
        assert!(keys.find("two").is_none() && keys.find(&one.hash).is_none());
        keys.remove(application, &one.hash, &mut index);
        assert!(keys.find("one").is_none() && keys.find("other").is_some());
        keys.remove_application(application, &mut index);
        assert!(keys.find("other").is_none());
    }

    #[test]
    fn a_key_that_cannot_be_read_opens_nothing() {
        let mut restricted = fixture::api_key(ApplicationId::random(), "one");
        restricted.restrictions.permitted_ips = vec!["everywhere".to_owned()];
        let mut unhashed = fixture::api_key(ApplicationId::random(), "other");
        unhashed.hash = "other".to_owned();
        let (keys, _) = ApiKeys::load(&[restricted, unhashed]);
        assert!(keys.find("one").is_none() && keys.find("other").is_none());
    }
}
