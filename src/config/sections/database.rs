//! `[database.apim_db]` and `[database.shared_db]`.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::human::HumanDuration;

/// The two databases; they may live on one server, in one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// APIs, applications, subscriptions, policies and tokens.
    pub apim_db: Connection,
    /// Tenants, users, roles and the registry of uploaded documents.
    pub shared_db: Connection,
}

/// How to reach one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// `sqlite:FILE` (a relative path lies under `HOME/db`) or `postgres://user:password@host:port/name`.
    pub url: DatabaseUrl,
    /// Most connections that are open at a time (with SQLite: readers; there is always one writer).
    pub pool_size: u32,
    /// Longest wait for a free connection; the caller then gets 503 with Retry-After.
    pub acquire_timeout: HumanDuration,
    /// PostgreSQL: longest time for opening a connection, in whole seconds.
    pub connect_timeout: HumanDuration,
    /// PostgreSQL: longest time that one statement may run; 0s is no limit. A statement that is cut off changes nothing,
    /// and the caller gets 503 with Retry-After. Migrations are never cut off.
    pub statement_timeout: HumanDuration,
    /// Longest wait for a row or table that another transaction holds (SQLite: for its one write lock); then as above.
    pub lock_timeout: HumanDuration,
    /// PostgreSQL: longest pause inside a transaction; then the server undoes it and ends the connection. 0s is no limit.
    pub idle_in_transaction_timeout: HumanDuration,
    /// PostgreSQL: silence after which the operating system probes, three times, whether the server is still there, in whole
    /// seconds. A connection without answers is given up after twice this time.
    pub keepalive_interval: HumanDuration,
}

impl Default for Database {
    fn default() -> Self {
        Self { apim_db: Connection::sqlite("apim.db"), shared_db: Connection::sqlite("shared.db") }
    }
}

impl Connection {
    fn sqlite(file: &str) -> Self {
        Self {
            url: DatabaseUrl(format!("sqlite:{file}")),
            pool_size: 10,
            acquire_timeout: HumanDuration::from_secs(5),
            connect_timeout: HumanDuration::from_secs(5),
            statement_timeout: HumanDuration::from_secs(30),
            lock_timeout: HumanDuration::from_secs(5),
            idle_in_transaction_timeout: HumanDuration::from_secs(60),
            keepalive_interval: HumanDuration::from_secs(30),
        }
    }
}

/// Address of a database. `Debug`, `Display` and `Serialize` hide the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

/// The text is no address of a database that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a database is 'sqlite:FILE' or 'postgres://user:password@host:port/name'")]
pub struct InvalidDatabaseUrl;

impl DatabaseUrl {
    /// # Errors
    /// When the text names no kind of database that is known here.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidDatabaseUrl> {
        let text = text.into();
        let rest = ["sqlite:", "postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        if rest.is_none_or(str::is_empty) {
            return Err(InvalidDatabaseUrl);
        }
        Ok(Self(text))
    }

    /// The whole address with the password; a relative SQLite file is put under `HOME/db`.
    #[must_use]
    pub fn resolve(&self, home: &Path) -> String {
        match self.0.strip_prefix("sqlite:") {
            // `sqlite:///file` is the URL form of an absolute path; `join` keeps absolute paths as they are.
            Some(file) => {
                let file = file.strip_prefix("//").unwrap_or(file);
                format!("sqlite:{}", home.join("db").join(file).display())
            }
            None => self.0.clone(),
        }
    }

    fn masked(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        match rest.rsplit_once('@') {
            Some((credentials, host)) => {
                let user = credentials.split(':').next().unwrap_or_default();
                format!("{scheme}://{user}:***@{host}")
            }
            None => self.0.clone(),
        }
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = InvalidDatabaseUrl;

    fn try_from(text: String) -> Result<Self, InvalidDatabaseUrl> {
        Self::parse(text)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.masked())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_sqlite_file_lies_under_the_home_folder() {
        let resolve = |text: &str| DatabaseUrl::parse(text).unwrap().resolve(Path::new("/home"));
        assert_eq!(resolve("sqlite:apim.db"), "sqlite:/home/db/apim.db");
        assert_eq!(resolve("sqlite:/var/lib/apim.db"), "sqlite:/var/lib/apim.db");
        assert_eq!(resolve("sqlite:///var/lib/apim.db"), "sqlite:/var/lib/apim.db");
        assert_eq!(resolve("postgres://u:p@h/apim"), "postgres://u:p@h/apim");
    }

    #[test]
    fn the_password_never_prints() {
        let url = DatabaseUrl::parse("postgres://apim:s3c:r@et@db.example:5432/apim").unwrap();
        for text in [format!("{url}"), format!("{url:?}"), toml::Value::try_from(&url).unwrap().to_string()] {
            assert!(text.contains("postgres://apim:***@db.example:5432/apim"), "{text}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in ["mysql://h/apim", "apim.db", "sqlite:", ""] {
            assert_eq!(DatabaseUrl::parse(text), Err(InvalidDatabaseUrl), "{text}");
        }
    }
}
