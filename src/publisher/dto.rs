//! Shapes of the wire, named after the contract's schemas.

pub mod api;
pub mod api_info;
mod api_other;
pub mod definition;
pub mod import;
pub mod internal_key;
pub mod key_manager;
pub mod lifecycle;
pub mod revision;
pub mod scope;
pub mod search;
pub mod settings;
pub mod subscription;
pub mod subscription_policy;
pub mod throttling_policy;
