//! A database of one test's own: SQLite in a temporary folder, or one on the PostgreSQL server that the environment names.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tokio::runtime::Handle;

use crate::database::Database;
use crate::migrate::{self, Migrated};
use crate::options::{OpenOptions, Timeouts};

/// An open database that goes away with this value.
pub(crate) struct Place<K> {
    pub(crate) db: Database<K>,
    _home: Home,
}

enum Home {
    Folder(tempfile::TempDir),
    Server { url: String, name: String },
}

impl Home {
    fn on_server(url: String) -> Self {
        let name = format!("store_{}", domain::EventId::random().to_string().replace('-', ""));
        execute(&url, &format!("CREATE DATABASE {name}"));
        Self::Server { url, name }
    }

    fn url(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
            Self::Server { url, name } => format!("{}/{name}", url.rsplit_once('/').unwrap().0),
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Self::Server { url, name } = self {
            execute(url, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn execute(url: &str, statement: &str) {
    PgConnection::establish(url).unwrap().batch_execute(statement).unwrap();
}

fn open<K: Migrated + 'static>(home: Home) -> Place<K> {
    let url = home.url();
    migrate::run::<K>(&url).unwrap();
    let options =
        OpenOptions { url, pool_size: 4, acquire_timeout: Duration::from_secs(20), timeouts: Timeouts::default() };
    Place { db: Database::open(&options, &Handle::current()).unwrap(), _home: home }
}

/// SQLite always; PostgreSQL when the environment names a server.
pub(crate) async fn on_both<K: Migrated + 'static>(test: impl AsyncFn(Database<K>)) {
    let place = open(Home::Folder(tempfile::tempdir().unwrap()));
    test(place.db.clone()).await;
    if let Ok(url) = std::env::var("GATEWRIGHT_TEST_POSTGRES") {
        let place = open(Home::on_server(url));
        test(place.db.clone()).await;
    }
}
