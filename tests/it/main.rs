//! The integration tests: one binary; each test owns its node, ports and databases, speaks through actors and waits on
//! conditions.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod admin_plane;
mod clients;
mod contract;
mod devportal_keys;
mod distributed;
mod doctor;
mod event_sync;
mod faults;
mod first_call;
mod gateway_rest;
mod internal_data;
mod key_nodes;
mod paths;
mod publisher;
mod real_input;
mod search;
mod seed;
mod store;
mod support;
mod tenancy;
mod throttling;
