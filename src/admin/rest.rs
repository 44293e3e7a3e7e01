//! Handlers, one file per kind of resource.

mod scopes;
pub mod tenants;
pub mod throttle_policies;
