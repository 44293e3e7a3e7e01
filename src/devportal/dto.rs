//! Shapes of the wire, named after the contract's schemas.

pub mod api;
pub mod api_info;
pub mod api_key;
pub mod application;
pub mod application_key;
pub mod application_secret;
pub mod key_manager;
pub mod quota;
pub mod search_result;
pub mod settings;
pub mod subscription;
pub mod tag;
pub mod user;
