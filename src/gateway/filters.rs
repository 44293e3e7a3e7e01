//! The steps that decide about a call, one file each; their order stands in [`crate::pipeline`].

pub mod audience;
pub mod authenticate;
pub mod cors;
pub mod deny;
pub mod endpoint;
pub mod message;
pub mod resource;
pub mod scope;
pub mod status;
pub mod subscription;
pub mod throttle;
pub mod transport;
