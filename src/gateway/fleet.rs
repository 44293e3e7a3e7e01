//! How many gateways share the work: limits that each keeps by itself are divided by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of live gateways that share an environment with this one, as the hub last told it; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Fleet(Arc<AtomicU32>);

impl Fleet {
    /// At least 1: this one.
    #[must_use]
    pub fn live(&self) -> u32 {
        self.0.load(Ordering::Relaxed).max(1)
    }

    /// Takes in what the hub tells; 0 when it does not.
    pub fn tell(&self, live: u32) {
        self.0.store(live, Ordering::Relaxed);
    }
}
