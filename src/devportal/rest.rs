//! Handlers, one file per tag of the contract.

pub mod api_keys;
pub mod apis;
pub mod application_keys;
pub mod application_secrets;
pub mod application_tokens;
pub mod applications;
pub mod key_managers;
mod key_path;
mod scopes;
pub mod search;
pub mod settings;
pub mod subscriptions;
pub mod tags;
pub mod throttling_policies;
pub mod users;
