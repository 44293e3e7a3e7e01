//! An owner of throttle keys: hands out leases of quotas, exactly.
//!
//! Invariants: nothing is granted that was not durably reserved before (`domain::contract::LeaseLedger`); a window
//! never grants more than its limit, whatever crashes or gets lost; the only cost of a crash is refusing too early.
//! The decisions ([`window`], [`leases`], [`slots`]) are pure and take time as an argument. Entry points: [`TrafficManager`],
//! [`server::LeaseServer`] for gateways on other nodes, and
//! [`rest::routes`] for who only looks.

pub mod leases;
pub mod owner;
pub mod rest;
pub mod server;
pub mod slots;
pub mod window;

pub use owner::{Dependencies, TrafficManager};
pub use server::{Door, LeaseServer};
