//! Handlers, one file per kind of resource.

mod scopes;
pub mod throttle_policies;
