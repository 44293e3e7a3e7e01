//! The token service's tables: clients and their secrets, refresh tokens, revocations, signing keys and issuers.

pub mod clients;
pub mod issuers;
pub mod refresh_tokens;
pub mod revocations;
mod schema;
pub mod secrets;
pub mod signing_keys;
#[cfg(test)]
pub(crate) mod tests;

/// Rows that one call of a `purge` function deletes at most, so that no transaction holds the write lock for long.
pub const PURGE_BATCH_MAX: i64 = 500;
