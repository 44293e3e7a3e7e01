//! What is remembered of keys that are idle: how much of a window their gateway had, in case no traffic manager can tell.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::share::Tally;

/// Parts of the map, each with a lock of its own; none of them is met by calls of keys that have a cell.
const SHARDS: usize = 16;

/// Two keys with the same hash would share what is left for them; among millions of keys that is as good as impossible.
type Hash = u64;

pub(super) struct Tallies {
    shards: [Mutex<HashMap<Hash, Tally>>; SHARDS],
    shard_max: usize,
    hasher: RandomState,
}

impl Tallies {
    /// Remembers so many at most.
    pub(super) fn new(keys_max: usize) -> Self {
        let shard_max = keys_max.div_ceil(SHARDS);
        Self { shards: Default::default(), shard_max, hasher: RandomState::new() }
    }

    pub(super) fn keep(&self, key: &str, tally: Tally) {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash);
        if !tally.is_over(Instant::now()) && (shard.len() < self.shard_max || shard.contains_key(&hash)) {
            shard.insert(hash, tally);
        }
    }

    /// What was kept of the key.
    pub(super) fn find(&self, key: &str) -> Tally {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).get(&hash).copied().unwrap_or_else(Tally::none)
    }

    /// Forgets windows that are over.
    pub(super) fn sweep(&self, now: Instant) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, tally| !tally.is_over(now));
            if shard.capacity() > shard.len().saturating_mul(4).max(64) {
                shard.shrink_to_fit();
            }
        }
    }

    fn shard(&self, hash: Hash) -> MutexGuard<'_, HashMap<Hash, Tally>> {
        let index = usize::try_from((hash >> 32) % SHARDS as u64).unwrap_or(0);
        // The index is below SHARDS, so the first shard never stands in for another.
        self.shards.get(index).unwrap_or(&self.shards[0]).lock().unwrap_or_else(PoisonError::into_inner)
    }
}
