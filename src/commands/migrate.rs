//! `gatewright migrate`: brings the databases to this version's schema.

use config::sections::database::Connection;
use store::migrate::{self, Migrated};

use super::{CommandError, load};
use crate::cli::NodeArgs;
use crate::home::Home;

pub fn execute(args: &NodeArgs, dry_run: bool) -> Result<(), CommandError> {
    let databases = load(args)?.config.database;
    let home = Home::open(&args.home)?;
    migrate_one::<store::Apim>(&databases.apim_db, &home, dry_run)?;
    migrate_one::<store::Shared>(&databases.shared_db, &home, dry_run)
}

fn migrate_one<K: Migrated>(connection: &Connection, home: &Home, dry_run: bool) -> Result<(), CommandError> {
    let url = connection.url.resolve(home.path());
    let outcome = if dry_run { migrate::pending::<K>(&url) } else { migrate::run::<K>(&url) };
    let names = outcome.map_err(|source| CommandError::Migrate { database: K::NAME, source })?;
    match (names.is_empty(), dry_run) {
        (true, _) => println!("{}: up to date", K::NAME),
        (false, true) => println!("{}: would run {}", K::NAME, names.join(", ")),
        (false, false) => println!("{}: ran {}", K::NAME, names.join(", ")),
    }
    Ok(())
}
