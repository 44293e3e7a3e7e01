//! What this node asks of others over the network, and what it unpacks of what they send.
//!
//! Invariants: whatever a user's input makes the node fetch goes through [`guarded_fetch::GuardedFetch`]; there is no
//! second way; whatever it makes the node unpack goes through [`guarded_archive`]. Entry points: both modules.

pub mod guarded_archive;
pub mod guarded_fetch;

pub use guarded_fetch::{FetchError, Fetched, GuardedFetch};
