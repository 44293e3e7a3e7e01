//! Small facts that a node keeps for itself, such as the name under which it registers.

use std::path::Path;

use domain::Timestamp;
use rusqlite::OptionalExtension;

use crate::error::NodeStoreError;
use crate::file::{Durability, NodeFile};

const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/node/carbon/0001_node_state.sql"),
    include_str!("../../migrations/node/carbon/0002_last_good.sql"),
    include_str!("../../migrations/node/carbon/0003_schema_of_positions.sql"),
];

/// Key of the gateway's random name in [`Carbon::get_or_insert`].
pub const GATEWAY_ID: &str = "gateway_id";

/// The node's own store; clones share one connection.
#[derive(Debug, Clone)]
pub struct Carbon {
    pub(crate) file: NodeFile,
}

impl Carbon {
    /// Opens or creates the file. Blocking. `now` names a damaged file that is set aside.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, NodeStoreError> {
        NodeFile::open(path, &MIGRATIONS, Durability::Full, now).map(|file| Self { file })
    }

    /// The value stored under `key`.
    pub fn find(&self, key: &str) -> Result<Option<String>, NodeStoreError> {
        let connection = self.file.lock();
        let mut statement = connection.prepare_cached("SELECT value FROM node_state WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Stores `value` under `key`, in place of what was there.
    pub fn put(&self, key: &str, value: &str) -> Result<(), NodeStoreError> {
        self.file.lock().execute(
            "INSERT INTO node_state (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [key, value],
        )?;
        Ok(())
    }

    /// The value stored under `key`; the first caller's `fresh` value stays for ever.
    pub fn get_or_insert(&self, key: &str, fresh: &str) -> Result<String, NodeStoreError> {
        let connection = self.file.lock();
        connection.execute(
            "INSERT INTO node_state (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
            [key, fresh],
        )?;
        Ok(connection.query_row("SELECT value FROM node_state WHERE key = ?1", [key], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_stays_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("carbon.db");
        let now = Timestamp::from_millis(0);
        assert_eq!(Carbon::open(&path, now).unwrap().get_or_insert(GATEWAY_ID, "one").unwrap(), "one");
        assert_eq!(Carbon::open(&path, now).unwrap().get_or_insert(GATEWAY_ID, "two").unwrap(), "one");
    }

    #[test]
    fn a_value_can_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let carbon = Carbon::open(&folder.path().join("carbon.db"), Timestamp::from_millis(0)).unwrap();
        assert_eq!(carbon.find("x").unwrap(), None);
        carbon.put("x", "1").unwrap();
        carbon.put("x", "2").unwrap();
        assert_eq!(carbon.find("x").unwrap().as_deref(), Some("2"));
    }
}
