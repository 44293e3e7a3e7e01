//! Logs and metrics of the process.
//!
//! Invariants: knows no other room and no business word beyond field names; never sees tokens, secrets or bodies.
//! Entry points: [`metrics::Metrics`] (a registry handle that the composition hands to every room), [`subscriber`]
//! (the process-wide log output), [`fields`] (names of log fields), [`supervised`] (background tasks that outlive a panic).

pub mod error_chain;
pub mod fields;
pub mod metrics;
pub mod seldom;
pub mod subscriber;
pub mod supervised;
