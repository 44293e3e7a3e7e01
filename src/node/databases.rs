//! Opens the two databases: schema first, then pools.

use std::path::Path;

use async_trait::async_trait;
use config::sections::database::{Connection, Database as DatabaseSection};
use http::health::{Check, CheckResult};
use store::migrate::{self, MigrateError, Migrated};
use store::{Database, StoreError};
use tokio::runtime::Handle;

use super::Databases;
use crate::connection;

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("{name} cannot be brought to this version's schema")]
    Migrate {
        name: &'static str,
        #[source]
        source: MigrateError,
    },
    #[error("{name} cannot be opened")]
    Open {
        name: &'static str,
        #[source]
        source: StoreError,
    },
}

/// Blocking, for start-up.
pub(super) fn open(section: &DatabaseSection, home: &Path, runtime: &Handle) -> Result<Databases, DatabaseError> {
    let apim = open_one(&section.apim_db, home, runtime)?;
    Ok(Databases { apim, shared: open_one(&section.shared_db, home, runtime)? })
}

fn open_one<K: Migrated + 'static>(
    section: &Connection,
    home: &Path,
    runtime: &Handle,
) -> Result<Database<K>, DatabaseError> {
    let url = section.url.resolve(home);
    let ran = migrate::run::<K>(&url).map_err(|source| DatabaseError::Migrate { name: K::NAME, source })?;
    if !ran.is_empty() {
        tracing::info!(database = K::NAME, migrations = ran.len(), "database schema brought up to date");
    }
    let options = connection::options(section, url, section.pool_size);
    Database::open(&options, runtime).map_err(|source| DatabaseError::Open { name: K::NAME, source })
}

/// Whether a transaction can be opened.
pub(super) struct DatabaseCheck<K>(pub Database<K>);

#[async_trait]
impl<K: 'static> Check for DatabaseCheck<K> {
    async fn check(&self) -> CheckResult {
        match self.0.read::<(), StoreError, _>(|_| Ok(())).await {
            Ok(()) => Ok("answers".to_owned()),
            Err(StoreError::Busy) => Err("has no free connection".to_owned()),
            Err(error) if error.is_temporary() => Err("does not answer".to_owned()),
            Err(_unreadable) => Err("cannot be read".to_owned()),
        }
    }
}
