//! Everything that differs between SQLite and PostgreSQL.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

/// One connection to either back end. Only the portable subset of Diesel works on it, which is the point.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Diesel's name for the back end behind [`AnyConnection`], for boxed queries.
pub(crate) type AnyBackend = <AnyConnection as Connection>::Backend;

/// Which database a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// What a pool's connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

impl Backend {
    pub(crate) fn of(url: &str) -> Self {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") { Self::Postgres } else { Self::Sqlite }
    }

    /// What Diesel connects to: for SQLite the bare file name.
    pub(crate) fn connection_string(self, url: &str) -> &str {
        match self {
            Self::Sqlite => url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url),
            Self::Postgres => url,
        }
    }

    /// Begins a transaction that sees one state of the database throughout and cannot write.
    pub(crate) fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Begins a transaction that may write. SQLite takes its write lock at once, so that it never has to be upgraded.
    pub(crate) fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// SQLite admits one writer at a time: a second writing connection would only wait for the lock.
    pub(crate) fn writers(self, pool_size: u32) -> u32 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => pool_size,
        }
    }

    /// Settings of every new connection. SQLite: readers beside the writer (WAL), every commit on disk (FULL), readers
    /// cannot write. PostgreSQL: no statement runs for ever (read transactions are declared so when they begin).
    pub(crate) fn set_up(self, connection: &mut AnyConnection, access: Access) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite => {
                connection.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
                )?;
                match access {
                    Access::ReadOnly => connection.batch_execute("PRAGMA query_only = ON"),
                    Access::ReadWrite => Ok(()),
                }
            }
            Self::Postgres => connection.batch_execute(
                "SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC';",
            ),
        }
    }

    /// Held while migrations run, so that nodes which start together do not collide.
    pub(crate) fn lock_for_migration(self, connection: &mut AnyConnection) -> diesel::QueryResult<()> {
        match self {
            // The file lock of the immediate transaction that each migration runs in does the same.
            Self::Sqlite => Ok(()),
            Self::Postgres => connection.batch_execute("SELECT pg_advisory_lock(7346210001)"),
        }
    }

    pub(crate) fn unlock_after_migration(self, connection: &mut AnyConnection) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite => Ok(()),
            Self::Postgres => connection.batch_execute("SELECT pg_advisory_unlock(7346210001)"),
        }
    }
}
