//! Handlers, one file per tag of the contract; a handler is named after its operation id.

pub mod api_lifecycle;
pub mod api_revisions;
pub mod api_versions;
pub mod apis;
mod definition_form;
pub mod import_export;
pub mod internal_keys;
pub mod key_managers;
mod scopes;
pub mod search;
pub mod settings;
pub mod shared_scopes;
pub mod subscriptions;
pub mod throttling_policies;
pub mod validation;
