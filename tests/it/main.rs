//! The integration tests: one binary; each test owns its node, ports and databases, speaks through actors and waits on
//! conditions.

mod admin_plane;
mod contract;
mod event_sync;
mod faults;
mod first_call;
mod gateway_rest;
mod paths;
mod search;
mod store;
mod support;
