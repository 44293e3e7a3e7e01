//! Handlers, one file per tag of the contract; a handler is named after its operation id.

pub mod api_lifecycle;
pub mod api_revisions;
pub mod apis;
mod definition_form;
pub mod internal_keys;
mod scopes;
pub mod search;
pub mod settings;
pub mod throttling_policies;
pub mod validation;
