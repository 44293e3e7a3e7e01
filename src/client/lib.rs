//! What this node asks of others over the network, and what it unpacks of what they send.
//!
//! Invariants: whatever a user's input makes the node fetch goes through [`guarded_fetch::GuardedFetch`]; there is no
//! second way; whatever it makes the node unpack goes through [`guarded_archive`]; other nodes are called through
//! [`peers::Peers`] alone, under the cluster's authority and with a narrowed token. Entry points: both modules;
//! [`RemoteHub`], [`RemoteInspector`], [`RemoteKeyManager`] and [`RemoteThrottle`] for the contracts of roles that play
//! elsewhere; [`joining`]; [`probe`] for operators.

pub mod guarded_archive;
pub mod guarded_fetch;
mod hub;
mod inspector;
pub mod joining;
mod key_manager;
mod leases;
mod membership;
pub mod peers;
pub mod probe;

pub use guarded_fetch::{FetchError, Fetched, GuardedFetch};
pub use hub::RemoteHub;
pub use inspector::RemoteInspector;
pub use key_manager::RemoteKeyManager;
pub use leases::{LeaseConnector, RemoteThrottle};
pub use membership::Membership;
pub use peers::{PeerOptions, Peers};
