//! What this node asks of others over the network.
//!
//! Invariants: whatever a user's input makes the node fetch goes through [`guarded_fetch::GuardedFetch`]; there is no
//! second way. Entry point: [`guarded_fetch`].

pub mod guarded_fetch;

pub use guarded_fetch::{FetchError, Fetched, GuardedFetch};
