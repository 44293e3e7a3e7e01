//! The keys that are counted at present: a bounded map of places, each as small as it can be.

use std::collections::HashMap;
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

/// A key that is counted.
struct Counted {
    key: Box<str>,
    bucket: Option<Bucket>,
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

type RareByKey = HashMap<Box<str>, Rare>;

/// One key's place, while its part of the map is locked.
pub(super) struct Place<'a> {
    pub key: &'a str,
    pub bucket: &'a mut Option<Bucket>,
    rare: &'a mut RareByKey,
}

impl Place<'_> {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.entry(self.key.into()).or_default()
    }

    /// The end of the time for which the ledger is left alone, if it has failed.
    pub(super) fn failed_until(&self) -> Option<Instant> {
        self.rare.get(self.key).and_then(|rare| rare.failed_until)
    }
}

/// Whether somebody reserves for the key, or waits to do it.
fn is_in_use(rare: &RareByKey, key: &str) -> bool {
    rare.get(key).is_some_and(Rare::is_in_use)
}

impl Rare {
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.turn) > 1
    }
}

/// A part of the map. What is rare lies apart, so that a million keys that lack it are smaller.
#[derive(Default)]
struct Shard {
    table: HashTable<Box<Counted>>,
    rare: RareByKey,
}

impl Shard {
    fn place(&mut self, hash: u64, key: &str) -> Option<Place<'_>> {
        let own = self.table.find_mut(hash, |own| *own.key == *key)?;
        Some(Place { key: &own.key, bucket: &mut own.bucket, rare: &mut self.rare })
    }
}

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
    pub(super) fn with<T>(&self, key: &str, now: Instant, decide: impl FnOnce(&mut Place<'_>) -> T) -> (T, u64) {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash);
        if let Some(mut place) = shard.place(hash, key) {
            return (decide(&mut place), 0);
        }
        let evicted = self.make_room(&mut shard, now);
        let own = Box::new(Counted { key: key.into(), bucket: None });
        let Shard { table, rare } = &mut *shard;
        let mut entry = table.insert_unique(hash, own, |own| self.hasher.hash_one(&*own.key));
        self.count.fetch_add(1, Ordering::Relaxed);
        let own = entry.get_mut();
        (decide(&mut Place { key: &own.key, bucket: &mut own.bucket, rare }), evicted)
    }

    /// The same for a key that may have no place.
    pub(super) fn find<T>(&self, key: &str, decide: impl FnOnce(&mut Place<'_>) -> T) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).place(hash, key).map(|mut place| decide(&mut place))
    }

    /// Turns of `wanted` keys that somebody has or waits for.
    pub(super) fn turns(&self, wanted: impl Fn(&str) -> bool) -> Vec<Turn> {
        let mut turns = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let used = shard.rare.iter().filter(|(key, rare)| rare.is_in_use() && wanted(key));
            turns.extend(used.map(|(_, rare)| Arc::clone(&rare.turn)));
        }
        turns
    }

    /// Calls `act` with every key's place, a part of them under one lock.
    pub(super) fn for_each(&self, mut act: impl FnMut(&mut Place<'_>)) {
        for shard in &self.shards {
            let Shard { table, rare } = &mut *lock(shard);
            for own in table.iter_mut() {
                act(&mut Place { key: &own.key, bucket: &mut own.bucket, rare });
            }
        }
    }

    /// Removes the keys whose window is over, and what those that stay do not need any more; returns how many stay.
    pub(super) fn sweep(&self, now: Instant) -> usize {
        for shard in &self.shards {
            let mut shard = lock(shard);
            self.remove_ended(&mut shard, now);
            let Shard { table, rare } = &mut *shard;
            rare.retain(|_, rare| rare.is_in_use() || rare.failed_until.is_some_and(|until| now < until));
            rare.shrink_to(rare.len().saturating_mul(2));
            if table.capacity() > table.len().saturating_mul(4).max(64) {
                table.shrink_to_fit(|own| self.hasher.hash_one(&*own.key));
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
        if shard.table.len() >= self.shard_keys_max {
            self.remove_ended(shard, now);
            while shard.table.len() >= self.shard_keys_max && self.evict(shard) {
                evicted += 1;
            }
        }
        evicted
    }

    fn remove_ended(&self, shard: &mut Shard, now: Instant) {
        let Shard { table, rare } = shard;
        let before = table.len();
        table.retain(|own| {
            let is_over = own.bucket.as_ref().is_none_or(|bucket| bucket.ends_at <= now);
            !is_over || is_in_use(rare, &own.key)
        });
        self.count.fetch_sub(before - table.len(), Ordering::Relaxed);
    }

    /// Removes the unused key whose window ends first; false when all are in use.
    fn evict(&self, shard: &mut Shard) -> bool {
        let Shard { table, rare } = shard;
        let unused = table.iter().filter(|own| !is_in_use(rare, &own.key));
        let ends = unused.map(|own| (own.bucket.as_ref().map(|bucket| bucket.ends_at), &own.key));
        let Some(key) = ends.min_by_key(|(ends_at, _)| *ends_at).map(|(_, key)| key.clone()) else { return false };
        let Ok(entry) = table.find_entry(self.hasher.hash_one(&*key), |own| own.key == key) else { return false };
        entry.remove();
        rare.remove(&key);
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
    fn a_counted_key_is_small() {
        assert!(size_of::<Counted>() <= 80, "{}", size_of::<Counted>());
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
        let fullest = keys.shards.iter().map(|shard| lock(shard).table.len()).max().unwrap();
        assert!(fullest < 400, "{fullest}");
        assert_eq!(keys.find("app:7:bob@carbon.super", |place| is_in_use(place.rare, place.key)), Some(false));
        assert_eq!((keys.sweep(Instant::now()), keys.len()), (0, 0));
    }
}
