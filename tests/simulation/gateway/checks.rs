//! What must hold of a gateway.

use domain::Timestamp;
use domain::event::LogName;
use domain::runtime::Snapshot;
use node_store::last_good::Parts;

use super::Gateway;
use crate::database::{Database, index};
use crate::dice::Dice;
use crate::rows::{Content, Rows};

impl Gateway {
    /// What must hold at every moment.
    pub fn check(&mut self, database: &Database, now: Timestamp) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        for log in LogName::ALL {
            if let Some(committed) = database.lineage(log, &self.disk.positions[index(log)]) {
                let own = self.disk.lineages[index(log)].iter();
                assert!(own.eq(committed.map(|entry| &entry.event_id)), "not what was committed, once and in order");
            }
        }
        let revocations = self.tables.revocations();
        let log_id = &self.cursors[index(LogName::Revocation)].applied().log_id;
        let is_one_log =
            database.lineage(LogName::Revocation, self.cursors[index(LogName::Revocation)].applied()).is_some();
        if self.in_effect.0 == *log_id && is_one_log && !self.is_damaged {
            for (key, expires_at) in self.in_effect.1.iter().filter(|(_, expires_at)| **expires_at > now) {
                assert!(revocations.get(key) >= Some(expires_at), "the revocation {key} was taken back");
            }
        }
        self.in_effect = (log_id.clone(), revocations);
    }

    /// What the content must be, when its positions mean one thing only.
    pub fn check_content(&self, database: &Database, dice: &mut Dice, now: Timestamp) {
        for log in LogName::ALL {
            let position = &self.disk.positions[index(log)];
            if database.lineage(log, position).is_some() && !self.is_damaged {
                let expected = content_of(&database.snapshot_at(log, position.number, dice), log, now);
                assert_eq!(self.disk.rows.content(log, now), expected, "the disk does not hold what was committed");
            }
        }
    }

    /// Whether everything is as in the database, on disk and in the tables.
    pub fn is_equal(&self, database: &Database, dice: &mut Dice, now: Timestamp) -> bool {
        let snapshot = database.snapshot(dice);
        LogName::ALL.into_iter().all(|log| {
            let expected = content_of(&snapshot, log, now);
            self.disk.rows.content(log, now) == expected && self.tables.content(log, now) == expected
        }) && self.waiting.is_empty()
    }
}

fn content_of(snapshot: &Snapshot, log: LogName, now: Timestamp) -> Content {
    let mut rows = Rows::default();
    rows.install(snapshot, Parts { control: true, revocation: true });
    rows.content(log, now)
}
