//! The endpoints, driven over a database in a temporary folder.

mod authenticator;
mod client_secrets;
mod contract;
mod fixture;
mod introspect;
mod metadata;
mod refresh;
mod register;
mod tenants;
mod token;
