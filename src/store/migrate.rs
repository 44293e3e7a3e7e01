//! Migrations, embedded in the binary and run at start-up under a lock.

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::{Apim, Shared};
use crate::dialect::{Access, AnyConnection, Backend};
use crate::options::Timeouts;
use crate::outbox::log_head;

const APIM_SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/apim/sqlite");
const APIM_POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/apim/postgres");
const SHARED_SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/shared/sqlite");
const SHARED_POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/shared/postgres");

/// Why a database could not be brought to this version's schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("cannot open the database")]
    Connect(#[source] ConnectionError),
    #[error("the database cannot be prepared for migration")]
    Database(#[source] diesel::result::Error),
    #[error("migration failed")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A database that has migrations.
pub trait Migrated {
    /// `apim_db` or `shared_db`, for messages.
    const NAME: &'static str;
    #[doc(hidden)]
    fn migrations(is_sqlite: bool) -> EmbeddedMigrations;
}

impl Migrated for Apim {
    const NAME: &'static str = "apim_db";

    fn migrations(is_sqlite: bool) -> EmbeddedMigrations {
        if is_sqlite { APIM_SQLITE } else { APIM_POSTGRES }
    }
}

impl Migrated for Shared {
    const NAME: &'static str = "shared_db";

    fn migrations(is_sqlite: bool) -> EmbeddedMigrations {
        if is_sqlite { SHARED_SQLITE } else { SHARED_POSTGRES }
    }
}

/// Brings the database at `url` to the newest schema and returns the names of the migrations that ran. Blocking.
pub fn run<K: Migrated>(url: &str) -> Result<Vec<String>, MigrateError> {
    let backend = Backend::of(url);
    let mut connection = connect(backend, url)?;
    backend.lock_for_migration(&mut connection).map_err(MigrateError::Database)?;
    let outcome = run_locked::<K>(backend, &mut connection);
    let unlocked = backend.unlock_after_migration(&mut connection).map_err(MigrateError::Database);
    let names = outcome?;
    unlocked?;
    Ok(names)
}

/// Names of the migrations that [`run`] would run. Blocking.
pub fn pending<K: Migrated>(url: &str) -> Result<Vec<String>, MigrateError> {
    let backend = Backend::of(url);
    let mut connection = connect(backend, url)?;
    let migrations = K::migrations(backend == Backend::Sqlite);
    let names = match &mut connection {
        AnyConnection::Sqlite(connection) => names_pending(connection, migrations),
        AnyConnection::Postgres(connection) => names_pending(connection, migrations),
    };
    names.map_err(MigrateError::Migration)
}

fn connect(backend: Backend, url: &str) -> Result<AnyConnection, MigrateError> {
    let timeouts = Timeouts::of_migration();
    let address = backend.connection_string(url, &timeouts);
    let mut connection = backend.establish(&address).map_err(MigrateError::Connect)?;
    backend.set_up(&mut connection, Access::ReadWrite, &timeouts).map_err(MigrateError::Database)?;
    Ok(connection)
}

fn run_locked<K: Migrated>(backend: Backend, connection: &mut AnyConnection) -> Result<Vec<String>, MigrateError> {
    let migrations = K::migrations(backend == Backend::Sqlite);
    let names = match connection {
        AnyConnection::Sqlite(connection) => run_pending(connection, migrations),
        AnyConnection::Postgres(connection) => run_pending(connection, migrations),
    }
    .map_err(MigrateError::Migration)?;
    ensure_logs(connection).map_err(MigrateError::Database)?;
    Ok(names)
}

type MigrationResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn run_pending<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> MigrationResult<Vec<String>>
where
    EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
{
    Ok(harness.run_pending_migrations(migrations)?.iter().map(ToString::to_string).collect())
}

fn names_pending<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> MigrationResult<Vec<String>>
where
    EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
{
    Ok(harness.pending_migrations(migrations)?.iter().map(|migration| migration.name().to_string()).collect())
}

/// Both logs exist from the first start on, each with an id of its own.
fn ensure_logs(connection: &mut AnyConnection) -> QueryResult<()> {
    connection.transaction(|connection| {
        for log in domain::event::LogName::ALL {
            let exists: Option<i64> =
                log_head::table.find(log.as_str()).select(log_head::number).first(connection).optional()?;
            if exists.is_none() {
                let log_id = domain::EventId::random().to_string();
                diesel::insert_into(log_head::table)
                    .values((log_head::log.eq(log.as_str()), log_head::log_id.eq(log_id), log_head::number.eq(0)))
                    .execute(connection)?;
            }
        }
        Ok(())
    })
}
