//! API definitions that users upload.

pub mod openapi;
pub mod tree;
