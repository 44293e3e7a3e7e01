//! Shapes of the wire, named after the contract's schemas.

pub mod api;
pub mod api_info;
pub mod api_key;
pub mod application;
pub mod application_key;
pub mod subscription;
pub mod throttling_policy;
