//! The two shared databases, through Diesel and r2d2: the only room that speaks SQL to them.
//!
//! Invariants: a connection never lives across an await ([`Database::read`] and [`Database::write`] are the one async
//! boundary); a query cannot reach the wrong database ([`ApimConn`] and [`SharedConn`] are distinct types); a change
//! and its events commit together ([`Conn::append`]). Repository functions are synchronous, take a connection first and
//! compose inside one transaction. All SQL that differs between back ends stands in `dialect.rs`.

pub mod apim;
pub mod database;
mod dialect;
pub mod error;
pub mod hash;
mod listener;
pub mod migrate;
pub mod options;
pub mod outbox;
mod pool;
pub mod shared;

pub use database::{Apim, ApimConn, ApimDb, Conn, Database, Shared, SharedConn, SharedDb};
pub use error::{Raced, StoreError, TransactionError};
pub use options::{OpenOptions, Timeouts};
