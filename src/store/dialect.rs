//! Everything that differs between SQLite and PostgreSQL.

pub(crate) mod lease_block;

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

use crate::options::Timeouts;

/// One connection to either back end. Only the portable subset of Diesel works on it, which is the point.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Diesel's name for the back end behind [`AnyConnection`], for boxed queries.
pub(crate) type AnyBackend = <AnyConnection as Connection>::Backend;

/// Asks PostgreSQL for what [`Backend::announcement`] sends. Channels belong to a database, so one name does for all.
pub(crate) const LISTEN: &str = "LISTEN gatewright_outbox";

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

    /// What Diesel connects to: for SQLite the bare file name, for PostgreSQL the URL with the bounds of the network.
    pub(crate) fn connection_string(self, url: &str, timeouts: &Timeouts) -> String {
        match self {
            Self::Sqlite => {
                url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url).to_owned()
            }
            Self::Postgres => with_network_bounds(url, timeouts),
        }
    }

    /// Opens a connection to what [`Backend::connection_string`] says. Diesel's own way over both back ends keeps the reason of a
    /// failure to itself.
    pub(crate) fn establish(self, address: &str) -> diesel::ConnectionResult<AnyConnection> {
        match self {
            Self::Sqlite => SqliteConnection::establish(address).map(AnyConnection::Sqlite),
            Self::Postgres => PgConnection::establish(address).map(AnyConnection::Postgres),
        }
    }

    /// Begins a transaction: one that only reads sees one state of the database throughout. SQLite takes its write lock at
    /// once, so that it never has to be upgraded.
    pub(crate) fn begin(self, access: Access) -> &'static str {
        match (self, access) {
            (Self::Sqlite, Access::ReadOnly) => "BEGIN DEFERRED",
            (Self::Sqlite, Access::ReadWrite) => "BEGIN IMMEDIATE",
            (Self::Postgres, Access::ReadOnly) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Self::Postgres, Access::ReadWrite) => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// The statement by which a transaction tells other processes, once it is committed, that it has events. `origin` lets
    /// the sender know its own. With SQLite one process has all roles, and what
    /// a command does beside it is found by reading now and then.
    pub(crate) fn announcement(self, origin: &str) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!("SELECT pg_notify('gatewright_outbox', '{origin}')")),
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
    /// cannot write. PostgreSQL: nothing takes for ever (read transactions are declared so when they begin), and messages
    /// in English, see [`is_cut_off`]; where the role may not choose their language, the server's choice stays.
    pub(crate) fn set_up(
        self,
        connection: &mut AnyConnection,
        access: Access,
        timeouts: &Timeouts,
    ) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite => {
                connection.batch_execute(&format!(
                    "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
                    millis(timeouts.lock)
                ))?;
                match access {
                    Access::ReadOnly => connection.batch_execute("PRAGMA query_only = ON"),
                    Access::ReadWrite => Ok(()),
                }
            }
            Self::Postgres => connection.batch_execute(&format!(
                "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
                 SET timezone = 'UTC'; \
                 DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); \
                 EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;",
                millis(timeouts.statement),
                millis(timeouts.lock),
                millis(timeouts.idle_in_transaction),
            )),
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

/// See [`crate::Conn::take_turn`]. SQLite's transactions that write have their turns already.
pub(crate) fn take_turn(connection: &mut AnyConnection, name: &str) -> diesel::QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(connection) => {
            // Advisory locks have numbers; two names that share one would only wait for each other.
            let hash = crate::hash::sha256_hex(name.as_bytes());
            let number = hash.get(..15).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default();
            connection.batch_execute(&format!("SELECT pg_advisory_xact_lock({number})"))
        }
    }
}

/// Milliseconds as both back ends' settings take them.
fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// Adds what libpq has to know before it connects; what the operator's URL says itself, stays.
fn with_network_bounds(url: &str, timeouts: &Timeouts) -> String {
    let secs = |duration: Duration| duration.as_secs().max(1);
    let probe = secs(timeouts.keepalive);
    let bounds = [
        ("connect_timeout", secs(timeouts.connect)),
        ("keepalives_idle", probe),
        ("keepalives_interval", (probe / 3).max(1)),
        ("keepalives_count", 3),
        // Bytes that nobody acknowledges are given up as late as silence is: the idle time and three probes.
        ("tcp_user_timeout", probe.saturating_mul(2_000)),
    ];
    let mut out = url.to_owned();
    let own = url.split_once('?').map(|(_, query)| query.to_owned());
    let mut separator = match own.as_deref() {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    for (key, value) in bounds {
        let is_set = own.iter().flat_map(|query| query.split('&')).any(|pair| pair.split('=').next() == Some(key));
        if !is_set {
            out.push_str(&format!("{separator}{key}={value}"));
            separator = "&";
        }
    }
    out
}

/// Whether the server cut the statement off: it ran or waited for a lock for too long, or an operator cancelled it.
/// Diesel does not hand out the SQLSTATE (57014, 55P03), so the message has to tell.
pub(crate) fn is_cut_off(message: &str) -> bool {
    message.starts_with("canceling statement due to")
}

/// Whether the database gave the transaction up because of a concurrent one; Diesel has no kind for these two.
pub(crate) fn is_concurrency(message: &str) -> bool {
    message.contains("deadlock detected") || message.contains("database is locked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_connection_says_why() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        drop(taken);
        let error = Backend::Postgres.establish(&format!("postgres://gatewright@127.0.0.1:{port}/apim")).err().unwrap();
        assert!(error.to_string().contains("refused"), "{error}");
    }

    #[test]
    fn the_operators_url_keeps_its_own_words() {
        let complete = |url: &str| Backend::Postgres.connection_string(url, &Timeouts::default());
        assert_eq!(
            complete("postgres://apim@db/apim"),
            "postgres://apim@db/apim?connect_timeout=5&keepalives_idle=30&keepalives_interval=10&keepalives_count=3\
             &tcp_user_timeout=60000"
        );
        let own = complete("postgres://apim@db/apim?sslmode=verify-full&connect_timeout=9");
        assert!(own.starts_with("postgres://apim@db/apim?sslmode=verify-full&connect_timeout=9&keepalives_idle=30&"));
        assert_eq!(own.matches("connect_timeout").count(), 1, "{own}");
    }
}
