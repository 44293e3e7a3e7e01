//! Opening a node-local SQLite file: owner-only, migrated, and set aside when it is damaged.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use rusqlite::{Connection, ErrorCode};

use crate::error::NodeStoreError;

/// How much a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// A commit is on disk when it returns.
    Full,
    /// A power failure may take back the newest commits; for copies of what is durable elsewhere.
    Copy,
}

/// One connection, used by one thread at a time.
#[derive(Debug, Clone)]
pub(crate) struct NodeFile {
    connection: Arc<Mutex<Connection>>,
}

impl NodeFile {
    /// Opens or creates `path` and runs `migrations` (in order; their count is the file's `user_version`). A damaged
    /// file is renamed to `<name>.corrupt-<milliseconds>` and an empty one takes its place.
    pub(crate) fn open(
        path: &Path,
        migrations: &[&str],
        durability: Durability,
        now: Timestamp,
    ) -> Result<Self, NodeStoreError> {
        let connection = match open_checked(path, migrations, durability) {
            Err(NodeStoreError::Open { source, .. }) if is_damage(&source) => {
                let aside = set_aside(path, now)?;
                tracing::error!(
                    file = %path.display(), kept_as = %aside.display(), error = %source,
                    "node store is damaged, starting with an empty one"
                );
                open_checked(path, migrations, durability)?
            }
            other => other?,
        };
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// A transaction that panicked was rolled back when it was dropped, so a poisoned lock hides no half change.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_checked(path: &Path, migrations: &[&str], durability: Durability) -> Result<Connection, NodeStoreError> {
    create_private(path)?;
    let failed = |source| NodeStoreError::Open { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(failed)?;
    set_up(&connection, durability).map_err(failed)?;
    check(&connection).map_err(failed)?;
    let found = version(&connection).map_err(failed)?;
    if found > migrations.len() {
        return Err(NodeStoreError::Newer { path: path.to_owned(), found, known: migrations.len() });
    }
    migrate(&mut connection, migrations, found).map_err(failed)?;
    Ok(connection)
}

/// SQLite gives its side files the mode of the main file, so the mode must be right before anything is written.
fn create_private(path: &Path) -> Result<(), NodeStoreError> {
    let failed = |source| NodeStoreError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(failed)?;
    file.set_permissions(fs::Permissions::from_mode(0o600)).map_err(failed)
}

fn set_up(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Copy => "NORMAL",
    };
    connection.execute_batch(&format!(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; \
         PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;"
    ))
}

fn check(connection: &Connection) -> rusqlite::Result<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(verdict)))
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(version as usize)
}

fn migrate(connection: &mut Connection, migrations: &[&str], found: usize) -> rusqlite::Result<()> {
    for (index, sql) in migrations.iter().enumerate().skip(found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, NodeStoreError> {
    let suffix = format!(".corrupt-{}", now.as_millis());
    for side in ["-wal", "-shm"] {
        let from = with_suffix(path, side);
        // Most often there is none: SQLite removes both when it closes a file.
        if from.exists() {
            rename(&from, &with_suffix(path, &format!("{suffix}{side}")))?;
        }
    }
    let aside = with_suffix(path, &suffix);
    rename(path, &aside)?;
    Ok(aside)
}

fn rename(from: &Path, to: &Path) -> Result<(), NodeStoreError> {
    fs::rename(from, to).map_err(|source| NodeStoreError::File { path: from.to_owned(), source })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const MIGRATIONS: [&str; 2] = ["CREATE TABLE a (x INTEGER);", "INSERT INTO a VALUES (7);"];

    fn open(path: &Path) -> Result<NodeFile, NodeStoreError> {
        NodeFile::open(path, &MIGRATIONS, Durability::Full, NOW)
    }

    fn count(file: &NodeFile) -> i64 {
        file.lock().query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn each_migration_runs_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/node.db");
        assert_eq!(count(&open(&path).unwrap()), 1);
        assert_eq!(count(&open(&path).unwrap()), 1);
    }

    #[test]
    fn only_the_owner_can_read_the_file_and_its_side_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        let file = open(&path).unwrap();
        file.lock().execute("INSERT INTO a VALUES (1)", []).unwrap();
        for name in ["node.db", "node.db-wal"] {
            let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_an_empty_one_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        fs::write(&path, b"this is no database, not even a little".repeat(64)).unwrap();
        assert_eq!(count(&open(&path).unwrap()), 1);
        let aside = folder.path().join("node.db.corrupt-1700000000000");
        assert!(fs::read(aside).unwrap().starts_with(b"this is no database"));
    }

    #[test]
    fn a_file_with_a_broken_page_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        {
            let file = open(&path).unwrap();
            let connection = file.lock();
            for _ in 0..5_000 {
                connection.execute("INSERT INTO a VALUES (123456789)", []).unwrap();
            }
            connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        }
        let mut bytes = fs::read(&path).unwrap();
        let page = bytes.len() / 2 / 4096 * 4096;
        bytes[page..page + 4096].fill(0xEE);
        fs::write(&path, bytes).unwrap();
        assert_eq!(count(&open(&path).unwrap()), 1);
    }

    #[test]
    fn a_file_of_a_newer_release_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.db");
        open(&path).unwrap();
        let older = NodeFile::open(&path, &MIGRATIONS[..1], Durability::Full, NOW).unwrap_err();
        assert!(matches!(older, NodeStoreError::Newer { found: 2, known: 1, .. }), "{older:?}");
    }
}
