//! The keys that are counted at present: a bounded map of places, each as small as it can be.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hashbrown::HashTable;

use crate::leases::Bucket;

/// Parts of the map, each with a lock of its own that is never held across an await; a power of two.
const SHARDS: usize = 64;

/// Whose turn it is to reserve for a key.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

/// One key's place.
pub(super) struct Place {
    key: Box<str>,
    pub bucket: Option<Bucket>,
    /// Apart, because few keys need it at a time.
    rare: Option<Box<Rare>>,
}

/// What only a key has for which units are being reserved, asked back, or not to be had.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub turn: Turn,
    /// The ledger failed: it is not asked again before.
    pub failed_until: Option<Instant>,
    /// When units were asked back from whoever holds them.
    pub recalled_at: Option<Instant>,
}

impl Place {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The end of the time for which the ledger is left alone, if it has failed.
    pub(super) fn failed_until(&self) -> Option<Instant> {
        self.rare.as_ref().and_then(|rare| rare.failed_until)
    }

    /// Whether somebody reserves for the key, or waits to do it.
    fn is_in_use(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| Arc::strong_count(&rare.turn) > 1)
    }

    /// Whether nobody uses the place and its window has ended.
    fn is_over(&self, now: Instant) -> bool {
        !self.is_in_use() && self.bucket.as_ref().is_none_or(|bucket| bucket.ends_at <= now)
    }
}

type Shard = HashTable<Box<Place>>;

pub(super) struct Keys {
    shards: Vec<Mutex<Shard>>,
    shard_keys_max: usize,
    hasher: RandomState,
    count: AtomicUsize,
}

impl Keys {
    pub(super) fn new(keys_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_keys_max: keys_max.div_ceil(SHARDS).max(1),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
        }
    }

    /// What `decide` says about the place of `key`, which is made when there is none, and how many living keys had to give
    /// way to it. A key that gives way loses its unspent units: its window then ends early, never late.
    pub(super) fn with<T>(&self, key: &str, now: Instant, decide: impl FnOnce(&mut Place) -> T) -> (T, u64) {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash);
        if let Some(place) = shard.find_mut(hash, |place| *place.key == *key) {
            return (decide(place), 0);
        }
        let evicted = self.make_room(&mut shard, now);
        let place = Box::new(Place { key: key.into(), bucket: None, rare: None });
        let mut entry = shard.insert_unique(hash, place, |place| self.hasher.hash_one(&*place.key));
        self.count.fetch_add(1, Ordering::Relaxed);
        (decide(entry.get_mut()), evicted)
    }

    /// The same for a key that may have no place.
    pub(super) fn find<T>(&self, key: &str, decide: impl FnOnce(&mut Place) -> T) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).find_mut(hash, |place| *place.key == *key).map(|place| decide(place))
    }

    /// Turns of `wanted` keys that somebody has or waits for.
    pub(super) fn turns(&self, wanted: impl Fn(&str) -> bool) -> Vec<Turn> {
        let mut turns = Vec::new();
        self.for_each(|place| {
            if place.is_in_use() && wanted(&place.key) {
                turns.push(Arc::clone(&place.rare().turn));
            }
        });
        turns
    }

    /// Calls `act` with every key's place, a part of them under one lock.
    pub(super) fn for_each(&self, mut act: impl FnMut(&mut Place)) {
        for shard in &self.shards {
            lock(shard).iter_mut().for_each(|place| act(place));
        }
    }

    /// Removes the keys whose window is over, and what those that stay do not need any more; returns how many stay.
    pub(super) fn sweep(&self, now: Instant) -> usize {
        for shard in &self.shards {
            let mut shard = lock(shard);
            self.remove_ended(&mut shard, now);
            for place in shard.iter_mut().filter(|place| place.rare.is_some()) {
                if !place.is_in_use() && place.failed_until().is_none_or(|until| until <= now) {
                    place.rare = None;
                }
            }
            if shard.capacity() > shard.len().saturating_mul(4).max(64) {
                shard.shrink_to_fit(|place| self.hasher.hash_one(&*place.key));
            }
        }
        self.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn make_room(&self, shard: &mut Shard, now: Instant) -> u64 {
        let mut evicted = 0;
        if shard.len() >= self.shard_keys_max {
            self.remove_ended(shard, now);
            while shard.len() >= self.shard_keys_max && self.evict(shard) {
                evicted += 1;
            }
        }
        evicted
    }

    fn remove_ended(&self, shard: &mut Shard, now: Instant) {
        let before = shard.len();
        shard.retain(|place| !place.is_over(now));
        self.count.fetch_sub(before - shard.len(), Ordering::Relaxed);
    }

    /// Removes the unused key whose window ends first; false when all are in use.
    fn evict(&self, shard: &mut Shard) -> bool {
        let unused = shard.iter().filter(|place| !place.is_in_use());
        let ends = unused.map(|place| (place.bucket.as_ref().map(|bucket| bucket.ends_at), &place.key));
        let Some(key) = ends.min_by_key(|(ends_at, _)| *ends_at).map(|(_, key)| key.clone()) else { return false };
        let Ok(entry) = shard.find_entry(self.hasher.hash_one(&*key), |place| place.key == key) else { return false };
        entry.remove();
        self.count.fetch_sub(1, Ordering::Relaxed);
        true
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The table itself goes by the lowest and the highest bits.
        let index = usize::try_from((hash >> 32) % SHARDS as u64).unwrap_or(0);
        // The index is below SHARDS, so the first shard never stands in for another.
        lock(self.shards.get(index).unwrap_or(&self.shards[0]))
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_small() {
        assert!(size_of::<Place>() <= 96, "{}", size_of::<Place>());
    }

    #[test]
    fn keys_are_counted_and_spread_over_the_parts() {
        let keys = Keys::new(1_000_000);
        for number in 0..10_000 {
            keys.with(&format!("app:{number}:bob@carbon.super"), Instant::now(), |place| {
                place.rare().failed_until.take()
            });
        }
        assert_eq!(keys.len(), 10_000);
        let fullest = keys.shards.iter().map(|shard| lock(shard).len()).max().unwrap();
        assert!(fullest < 400, "{fullest}");
        assert!(keys.find("app:7:bob@carbon.super", |place| place.is_in_use()).is_some_and(|in_use| !in_use));
        assert_eq!((keys.sweep(Instant::now()), keys.len()), (0, 0));
    }
}
