//! The event hub: numbered logs of changes, relayed from the databases' outboxes to gateways.
//!
//! Invariants: the databases are the truth and the hub's local copy can be thrown away; entries are served in the order
//! of their numbers, without gaps; nothing waits for the slowest gateway (who is too far behind takes a snapshot); any
//! number of hubs may run beside each other. Entry points: [`EventHub`], and [`rest::routes`] for other nodes.

mod artifact_cache;
mod audit;
mod bus;
mod hub;
mod metrics;
pub mod relay;
pub mod rest;
mod runtime_data;
mod tail;
#[cfg(test)]
mod tests;
mod upkeep;

pub use hub::{Deps, EventHub};
