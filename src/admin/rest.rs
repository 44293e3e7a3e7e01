//! Handlers, one file per kind of resource.

pub mod applications;
pub mod deny_policies;
pub mod import_export;
pub mod overview;
mod scopes;
pub mod tenant_config;
pub mod tenants;
pub mod throttle_policies;
