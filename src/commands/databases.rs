//! The databases as a command opens them, beside a running node or without one.

use std::path::Path;

use config::sections::database::Connection;
use store::Database;
use store::migrate::{self, Migrated};
use tokio::runtime::Handle;

use crate::connection;
use crate::home::{Home, HomeError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The schema is not this program's, and somebody else works with it.
#[derive(Debug, thiserror::Error)]
#[error(
    "{database} has an older schema than this program, and a node runs: stop it, or run its version of this command"
)]
struct Pending {
    database: &'static str,
}

/// The home folder for the time of a command.
pub(super) struct Place {
    /// `None` when a node runs: it keeps its home locked, and shares its databases.
    lock: Option<Home>,
}

impl Place {
    pub(super) fn open(home: &Path) -> Result<Self, HomeError> {
        match Home::open(home) {
            Ok(home) => Ok(Self { lock: Some(home) }),
            Err(HomeError::InUse(_)) => Ok(Self { lock: None }),
            Err(error) => Err(error),
        }
    }

    /// Brings the schema up to date first, unless a node runs on it. `home` is an absolute path.
    pub(super) fn database<K: Migrated + 'static>(
        &self,
        section: &Connection,
        home: &Path,
        runtime: &Handle,
    ) -> Result<Database<K>, Cause> {
        let url = section.url.resolve(home);
        if self.lock.is_some() {
            migrate::run::<K>(&url)?;
        } else if !migrate::pending::<K>(&url)?.is_empty() {
            return Err(Box::new(Pending { database: K::NAME }));
        }
        Ok(Database::open(&connection::options(section, url, 1), runtime)?)
    }
}
