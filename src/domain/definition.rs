//! API definitions that users upload.

pub mod openapi;
