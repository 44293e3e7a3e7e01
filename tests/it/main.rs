//! The integration tests: one binary; each test owns its node, ports and databases, speaks through actors and waits on
//! conditions.

mod contract;
mod event_sync;
mod faults;
mod first_call;
mod paths;
mod publisher;
mod store;
mod support;
