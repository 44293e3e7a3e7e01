//! The words of the business: ids, names, APIs, applications, policies, events, and the contracts through which
//! rooms meet.
//!
//! Invariants: no I/O, no async runtime, no clock (time comes in as [`Timestamp`]), no other room. Everything here
//! can be tested with plain values. Entry points: [`api::Api`], [`runtime::Snapshot`], [`event::Event`],
//! [`contract`].

pub mod api;
pub mod api_key;
pub mod application;
pub mod content;
pub mod contract;
pub mod cors;
pub mod definition;
pub mod error_code;
pub mod event;
pub mod failure;
pub mod id;
pub mod internal_api;
pub mod lifecycle;
pub mod name;
pub mod network;
pub mod node;
pub mod oauth;
pub mod revision;
pub mod runtime;
pub mod scope;
pub mod search;
pub mod secret;
pub mod subscription;
pub mod tenant;
pub mod throttling;
pub mod time;
pub mod user;
pub mod version_order;

pub use failure::Failure;
pub use id::*;
pub use name::Organization;
pub use secret::Secret;
pub use time::{Clock, SystemClock, Timestamp, Zone};
