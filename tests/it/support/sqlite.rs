//! Changes to SQLite files behind a node's back.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

/// Executes statements as another process would.
pub fn execute(file: &Path, sql: &str) {
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql}")).unwrap();
}
