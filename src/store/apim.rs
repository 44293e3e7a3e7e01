//! Repositories of `apim_db`. Functions take a connection first; `find` gives an Option, `list` a Vec or a page.

pub mod apis;
pub mod applications;
pub mod artifacts;
pub mod deployments;
pub mod key_mappings;
pub mod lifecycle_events;
pub mod policies;
pub mod revisions;
mod schema;
pub mod scopes;
pub mod subscriptions;
