//! Handlers, one file per tag of the contract.

pub mod api_keys;
pub mod apis;
pub mod application_keys;
pub mod application_tokens;
pub mod applications;
mod scopes;
pub mod subscriptions;
pub mod throttling_policies;
