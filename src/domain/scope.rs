//! Scopes of the management REST APIs and the roles that get them (WSO2's `RESTAPIScopes`).

pub mod rest_api;
pub mod shared;
