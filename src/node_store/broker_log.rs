//! The event hub's local copy of the numbered logs, from which gateways are served.

use std::path::Path;

use domain::Timestamp;
use domain::event::{LogEntry, LogName, Position};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::NodeStoreError;
use crate::file::{Durability, NodeFile};

const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/node/broker/0001_event_log.sql")];

/// Both logs; clones share one connection. A copy of what the databases hold, so a power failure may cost its newest
/// entries and nothing is lost.
#[derive(Debug, Clone)]
pub struct BrokerLog {
    file: NodeFile,
}

/// What the copy holds of one log: the entries `base + 1` to `head`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogExtent {
    /// Empty when the log was never seen.
    pub log_id: String,
    pub base: u64,
    pub head: u64,
}

impl BrokerLog {
    /// Opens or creates the file. Blocking. `now` names a damaged file that is set aside.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, NodeStoreError> {
        NodeFile::open(path, &MIGRATIONS, Durability::Copy, now).map(|file| Self { file })
    }

    /// What is here of `log`.
    pub fn extent(&self, log: LogName) -> Result<LogExtent, NodeStoreError> {
        Ok(extent(&self.file.lock(), log)?)
    }

    /// Forgets all entries of `log`; the copy now holds what follows number `base` of the log `log_id`.
    pub fn reset(&self, log: LogName, log_id: &str, base: u64) -> Result<(), NodeStoreError> {
        let mut connection = self.file.lock();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM entries WHERE log = ?1", [log.as_str()])?;
        transaction.execute(
            "INSERT INTO logs (log, log_id, base, head) VALUES (?1, ?2, ?3, ?3) ON CONFLICT (log) \
             DO UPDATE SET log_id = excluded.log_id, base = excluded.base, head = excluded.head",
            params![log.as_str(), log_id, stored(base)],
        )?;
        Ok(transaction.commit()?)
    }

    /// Adds entries and keeps at most `keep` of them (the newest). Those that are here already are skipped.
    ///
    /// # Errors
    /// [`NodeStoreError::OutOfOrder`] when `log_id` is another one or an entry is missing before the first new one:
    /// nothing is changed then, and [`Self::reset`] starts anew.
    pub fn append(&self, log: LogName, log_id: &str, entries: &[LogEntry], keep: u64) -> Result<(), NodeStoreError> {
        let mut connection = self.file.lock();
        let transaction = connection.transaction()?;
        let extent = extent(&transaction, log)?;
        let mut head = extent.head;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO entries (log, number, document) VALUES (?1, ?2, ?3)")?;
            for entry in entries.iter().filter(|entry| entry.number > extent.head) {
                if extent.log_id != log_id || entry.number != head + 1 {
                    return Err(NodeStoreError::OutOfOrder { log: log.as_str(), offered: entry.number });
                }
                let document = serde_json::to_string(entry).map_err(NodeStoreError::encode("event"))?;
                insert.execute(params![log.as_str(), stored(entry.number), document])?;
                head = entry.number;
            }
        }
        let base = extent.base.max(head.saturating_sub(keep));
        if base > extent.base {
            let delete = "DELETE FROM entries WHERE log = ?1 AND number <= ?2";
            transaction.execute(delete, params![log.as_str(), stored(base)])?;
        }
        let update = "UPDATE logs SET base = ?2, head = ?3 WHERE log = ?1";
        transaction.execute(update, params![log.as_str(), stored(base), stored(head)])?;
        Ok(transaction.commit()?)
    }

    /// At most `max` entries after the position; `None` when the log id is another one or some of the entries are no
    /// longer here.
    pub fn read_after(
        &self,
        log: LogName,
        after: &Position,
        max: usize,
    ) -> Result<Option<Vec<LogEntry>>, NodeStoreError> {
        let connection = self.file.lock();
        let extent = extent(&connection, log)?;
        if after.number < extent.base || after.log_id != extent.log_id {
            return Ok(None);
        }
        let mut statement = connection
            .prepare_cached("SELECT document FROM entries WHERE log = ?1 AND number > ?2 ORDER BY number LIMIT ?3")?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let documents = statement
            .query_map(params![log.as_str(), stored(after.number), limit], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        documents
            .iter()
            .map(|document| serde_json::from_str(document).map_err(NodeStoreError::decode("event")))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

fn extent(connection: &Connection, log: LogName) -> rusqlite::Result<LogExtent> {
    let mut statement = connection.prepare_cached("SELECT log_id, base, head FROM logs WHERE log = ?1")?;
    let found = statement.query_row([log.as_str()], |row| {
        Ok(LogExtent { log_id: row.get(0)?, base: number(row.get(1)?), head: number(row.get(2)?) })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// SQLite's integers are signed; a log would need centuries to get there.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use domain::event::{Event, SCHEMA_VERSION};
    use domain::{ApiId, EventId, Organization};

    use super::*;

    fn entry(number: u64) -> LogEntry {
        LogEntry {
            number,
            event_id: EventId::random(),
            schema: SCHEMA_VERSION,
            at: Timestamp::from_millis(0),
            event: Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() },
        }
    }

    fn open(folder: &tempfile::TempDir) -> BrokerLog {
        BrokerLog::open(&folder.path().join("broker.db"), Timestamp::from_millis(0)).unwrap()
    }

    fn numbers(log: &BrokerLog, number: u64, max: usize) -> Option<Vec<u64>> {
        let log_id = log.extent(LogName::Control).unwrap().log_id;
        let entries = log.read_after(LogName::Control, &Position { log_id, number }, max).unwrap()?;
        Some(entries.iter().map(|entry| entry.number).collect())
    }

    #[test]
    fn entries_come_back_in_order_and_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let entries: Vec<_> = (1..=5).map(entry).collect();
        {
            let log = open(&folder);
            log.reset(LogName::Control, "a", 0).unwrap();
            log.append(LogName::Control, "a", &entries[..3], 100).unwrap();
            log.append(LogName::Control, "a", &entries[1..], 100).unwrap();
        }
        let log = open(&folder);
        let start = Position { log_id: "a".into(), number: 0 };
        assert_eq!(log.read_after(LogName::Control, &start, 10).unwrap().unwrap(), entries);
        let elsewhere = Position { log_id: "b".into(), number: 0 };
        assert_eq!(log.read_after(LogName::Control, &elsewhere, 10).unwrap(), None);
        assert_eq!(numbers(&log, 2, 2), Some(vec![3, 4]));
        assert_eq!(numbers(&log, 5, 2), Some(vec![]));
        assert_eq!(log.extent(LogName::Revocation).unwrap(), LogExtent::default());
    }

    #[test]
    fn a_gap_and_another_log_id_are_refused_and_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        log.reset(LogName::Control, "a", 0).unwrap();
        log.append(LogName::Control, "a", &[entry(1)], 100).unwrap();
        assert!(log.append(LogName::Control, "a", &[entry(2), entry(4)], 100).is_err());
        assert!(log.append(LogName::Control, "b", &[entry(2)], 100).is_err());
        assert_eq!(numbers(&log, 0, 10), Some(vec![1]));
    }

    #[test]
    fn the_oldest_entries_go_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        log.reset(LogName::Control, "a", 0).unwrap();
        log.append(LogName::Control, "a", &(1..=10).map(entry).collect::<Vec<_>>(), 4).unwrap();
        assert_eq!(numbers(&log, 6, 10), Some(vec![7, 8, 9, 10]));
        assert_eq!(numbers(&log, 5, 10), None);
        assert_eq!(log.extent(LogName::Control).unwrap(), LogExtent { log_id: "a".into(), base: 6, head: 10 });
    }

    #[test]
    fn a_reset_starts_a_new_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        log.reset(LogName::Control, "a", 0).unwrap();
        log.append(LogName::Control, "a", &[entry(1)], 100).unwrap();
        log.reset(LogName::Control, "b", 41).unwrap();
        assert_eq!(numbers(&log, 0, 10), None);
        log.append(LogName::Control, "b", &[entry(42)], 100).unwrap();
        assert_eq!(numbers(&log, 41, 10), Some(vec![42]));
    }
}
