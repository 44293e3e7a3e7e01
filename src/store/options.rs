//! How a database is reached, and what one connection to it may take.

use std::time::Duration;

/// How to reach a database.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// `sqlite:FILE` or `postgres://user:password@host/name`.
    pub url: String,
    /// Most connections (for SQLite: most readers; there is always one writer).
    pub pool_size: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Bounds of every connection.
    pub timeouts: Timeouts,
}

/// What one connection may take. A statement that is cut off ends its transaction with
/// [`StoreError::TimedOut`](crate::StoreError::TimedOut), and nothing of it remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Longest time for opening a connection (PostgreSQL, whole seconds).
    pub connect: Duration,
    /// Longest time that one statement may run (PostgreSQL); zero is no limit.
    pub statement: Duration,
    /// Longest wait for a lock (SQLite: for its one write lock).
    pub lock: Duration,
    /// Longest pause inside a transaction before the server ends it (PostgreSQL); zero is no limit.
    pub idle_in_transaction: Duration,
    /// Silence after which the kernel probes whether the server is still there (PostgreSQL, whole seconds).
    pub keepalive: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_secs(60),
            keepalive: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// A migration may rewrite large tables, and waits for the node that migrates at the moment: nothing cuts it off.
    pub(crate) fn of_migration() -> Self {
        // SQLite knows no endless wait for its lock; ten minutes is longer than a migration of a file takes.
        let lock = Duration::from_secs(600);
        Self { statement: Duration::ZERO, lock, idle_in_transaction: Duration::ZERO, ..Self::default() }
    }
}
