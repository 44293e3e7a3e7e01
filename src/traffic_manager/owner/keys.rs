//! The keys that are counted at present: a bounded map of places.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::leases::Bucket;

/// Parts of the map, each with a lock of its own; a power of two.
const SHARDS: usize = 64;

/// One key's place. Whoever holds its lock decides about the key.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub bucket: Option<Bucket>,
    /// The ledger failed: it is not asked again before.
    pub failed_until: Option<Instant>,
    /// When units were asked back from whoever holds them.
    pub recalled_at: Option<Instant>,
}

type Shard = HashMap<Box<str>, Arc<tokio::sync::Mutex<Place>>>;

pub(super) struct Keys {
    shards: Vec<Mutex<Shard>>,
    shard_keys_max: usize,
    hasher: RandomState,
}

impl Keys {
    pub(super) fn new(keys_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_keys_max: keys_max.div_ceil(SHARDS).max(1),
            hasher: RandomState::new(),
        }
    }

    /// The place of `key`, made when there is none, and how many living keys had to give way to it. A key that gives way
    /// loses its unspent units: its window then ends early, never late.
    pub(super) fn get(&self, key: &str, now: Instant) -> (Arc<tokio::sync::Mutex<Place>>, u64) {
        let mut shard = self.shard(key);
        if let Some(place) = shard.get(key) {
            return (Arc::clone(place), 0);
        }
        let mut evicted = 0;
        if shard.len() >= self.shard_keys_max {
            shard.retain(|_, place| !is_over(place, now));
            while shard.len() >= self.shard_keys_max && evict(&mut shard) {
                evicted += 1;
            }
        }
        let place = Arc::default();
        shard.insert(key.into(), Arc::clone(&place));
        (place, evicted)
    }

    pub(super) fn find(&self, key: &str) -> Option<Arc<tokio::sync::Mutex<Place>>> {
        self.shard(key).get(key).map(Arc::clone)
    }

    /// The places of all keys that are `wanted`.
    pub(super) fn find_all(&self, wanted: impl Fn(&str) -> bool) -> Vec<(Box<str>, Arc<tokio::sync::Mutex<Place>>)> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let wanted = shard.iter().filter(|(key, _)| wanted(key));
            found.extend(wanted.map(|(key, place)| (key.clone(), Arc::clone(place))));
        }
        found
    }

    /// Removes the keys whose window is over; returns how many stay.
    pub(super) fn sweep(&self, now: Instant) -> usize {
        let mut left = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.retain(|_, place| !is_over(place, now));
            if shard.capacity() > shard.len().saturating_mul(4).max(64) {
                shard.shrink_to_fit();
            }
            left += shard.len();
        }
        left
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let index = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        // The index is below SHARDS, so the first shard never stands in for another.
        lock(self.shards.get(index).unwrap_or(&self.shards[0]))
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether nobody uses the place and its window has ended.
fn is_over(place: &Arc<tokio::sync::Mutex<Place>>, now: Instant) -> bool {
    if Arc::strong_count(place) > 1 {
        return false;
    }
    place.try_lock().is_ok_and(|place| place.bucket.as_ref().is_none_or(|bucket| bucket.ends_at <= now))
}

/// Removes the unused key whose window ends first; false when all are in use.
fn evict(shard: &mut Shard) -> bool {
    let unused = shard.iter().filter(|(_, place)| Arc::strong_count(place) == 1);
    let ends = unused.filter_map(|(key, place)| Some((place.try_lock().ok()?.bucket.as_ref().map(|b| b.ends_at), key)));
    let Some(key) = ends.min_by_key(|(ends_at, _)| *ends_at).map(|(_, key)| key.clone()) else { return false };
    shard.remove(&key);
    true
}
