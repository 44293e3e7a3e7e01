//! The data plane: takes calls, decides whether they may pass, and passes them on.
//!
//! Invariants: decides from its own tables and never asks the control plane in order to serve; never reads a database;
//! every refusal goes through [`fault`]; the steps of a call and their order stand in [`pipeline`] and nowhere else;
//! credentials never reach a back end. A call's life is told in `LIFE_OF_A_REQUEST.md`.
//!
//! Entry points: [`GatewayRole`] (bind, create, start), [`table::Tables`] (what the event sync fills), [`router`]
//! (pure matching).

pub mod activity;
pub mod answer;
pub mod client_address;
pub mod concurrent_map;
pub mod cors;
pub mod fault;
pub mod filters;
pub mod fleet;
pub mod landing;
pub mod lease;
pub mod listener;
pub mod local_limit;
pub mod observe;
pub mod pipeline;
pub mod rate_limit;
pub mod reply;
pub mod rest;
pub mod role;
pub mod router;
pub mod sync;
pub mod table;
pub mod token_proxy;
pub mod upstream;

pub use role::{Bound, GatewayDeps, GatewayError, GatewayRole, RunningGateway};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
