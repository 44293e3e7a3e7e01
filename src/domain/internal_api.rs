//! What nodes of one deployment say to each other: paths and bodies. Every call is a POST with a JSON body over TLS under
//! the cluster's authority, with a node token as bearer.
//!
//! The client and the serving room both speak from here, so that they cannot drift. Fields may be added; a reader ignores
//! those that it does not know, and every added field has a default, so that releases N and N-1 understand each other.

pub mod hub;
pub mod key_manager;
pub mod leases;
pub mod nodes;
pub mod throttle;
