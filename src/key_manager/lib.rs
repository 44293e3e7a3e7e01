//! The key manager: OAuth clients, tokens and their revocation, and who a user is.
//!
//! Invariants: deny by default; issuing a token for `client_credentials` writes nothing
//! but, every ten minutes, how long the key has to stay published; what is revoked is refused at
//! once wherever a token is checked against the database; error bodies are made in [`error`] alone. Entry points:
//! [`KeyManagerService`] (create, start, and the contract `KeyManager`), [`endpoints::configure`] (its HTTP routes),
//! [`LocalAuthenticator`] and [`LocalUserStore`] (usable without the service), [`bootstrap`].

pub mod authenticator;
mod basic;
pub mod bootstrap;
mod client_auth;
mod client_change;
mod client_secrets;
mod clients;
mod contract;
pub mod endpoints;
mod error;
mod grants;
mod lifetime;
mod metrics;
mod parameters;
mod password_change;
mod purge;
mod revocation;
mod service;
mod signing;
mod token;
mod user_store;

pub use authenticator::LocalAuthenticator;
pub use endpoints::configure;
pub use endpoints::internal::routes as internal_routes;
pub use service::{CreateError, Dependencies, KeyManagerService};
pub use signing::{Signing, Successor};
pub use user_store::LocalUserStore;

#[cfg(test)]
mod tests;
