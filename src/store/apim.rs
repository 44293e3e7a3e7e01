//! Repositories of `apim_db`. Functions take a connection first; `find` gives an Option, `list` a Vec or a page.

pub mod api_keys;
pub mod apis;
pub mod applications;
pub mod artifacts;
pub mod cluster_roots;
pub mod deny_policies;
pub mod deployments;
pub mod gateways;
pub mod key_mappings;
pub mod lease_ledger;
pub mod lifecycle_events;
pub mod oauth;
pub mod policies;
pub mod revisions;
pub mod runtime_data;
mod schema;
pub mod scopes;
pub mod shared_scopes;
pub mod subscribers;
pub mod subscriptions;
pub mod tags;
pub mod tenant_configs;
pub mod tenants;
pub mod throttle_resets;
