//! The home and databases of commands that work beside a running node or without one.

use std::path::{Path, PathBuf};

use config::sections::database::Connection;
use store::migrate::{self, MigrateError, Migrated};
use store::{Database, StoreError};
use tokio::runtime::Handle;

use crate::cli::NodeArgs;
use crate::connection;
use crate::home::{Home, HomeError};

/// A home folder: this process's own, or that of a node which runs in it and shares its databases.
pub(super) struct Place {
    path: PathBuf,
    /// `None` when a node holds it.
    lock: Option<Home>,
}

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    #[error(
        "{database} has an older schema than this program, and a node runs: stop it, or run its version of this command"
    )]
    Pending { database: &'static str },
    #[error("{database} cannot be brought to this version's schema")]
    Migrate {
        database: &'static str,
        #[source]
        source: MigrateError,
    },
    #[error("{database} cannot be opened")]
    Open {
        database: &'static str,
        #[source]
        source: StoreError,
    },
}

impl Place {
    /// Makes the folder when it is not there.
    pub(super) fn of(args: &NodeArgs) -> Result<Self, HomeError> {
        let lock = match Home::open(&args.home) {
            Ok(home) => Some(home),
            Err(HomeError::InUse(_)) => None,
            Err(error) => return Err(error),
        };
        let path = args.home.canonicalize();
        let path = path.map_err(|source| HomeError::Create { path: args.home.clone(), source })?;
        Ok(Self { path, lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a database with one connection; brings its schema up to date first, unless a node runs on it.
    pub(super) fn open<K: Migrated + 'static>(
        &self,
        section: &Connection,
        runtime: &Handle,
    ) -> Result<Database<K>, PlaceError> {
        let url = section.url.resolve(&self.path);
        let failed = |source| PlaceError::Migrate { database: K::NAME, source };
        if self.lock.is_some() {
            migrate::run::<K>(&url).map_err(failed)?;
        } else if !migrate::pending::<K>(&url).map_err(failed)?.is_empty() {
            return Err(PlaceError::Pending { database: K::NAME });
        }
        let options = connection::options(section, url, 1);
        Database::open(&options, runtime).map_err(|source| PlaceError::Open { database: K::NAME, source })
    }
}
