//! An event hub with its copy of the logs.

use std::collections::VecDeque;

use domain::contract::event_bus::Fetched;
use domain::event::{LogEntry, LogName, Position};
use event_hub::relay::{Decision, Known, Standing, Verdict, decide, standing, verify};
use node_store::broker_log::LogExtent;

use crate::database::{Database, index};
use crate::dice::Dice;

/// Entries of each log that are kept.
pub const KEEP: usize = 12;
const PAGE: usize = 5;

#[derive(Default)]
pub struct Hub {
    copies: [Copy; 2],
    known: [Known; 2],
}

/// What is on the hub's disk.
#[derive(Default)]
struct Copy {
    extent: LogExtent,
    entries: VecDeque<LogEntry>,
}

impl Copy {
    fn append(&mut self, entries: Vec<LogEntry>) {
        for entry in entries {
            assert_eq!(entry.number, self.extent.head + 1, "a gap in the copy");
            self.extent.head = entry.number;
            self.entries.push_back(entry);
        }
        self.extent.base = self.extent.base.max(self.extent.head.saturating_sub(KEEP as u64));
        self.drop_old();
    }

    fn drop_old(&mut self) {
        let base = self.extent.base;
        self.entries.retain(|entry| entry.number > base);
    }

    fn known(&self) -> Known {
        let newest = self.entries.back().map(|entry| entry.event_id);
        Known { extent: self.extent.clone(), newest }
    }
}

impl Hub {
    /// Reads one page of the database's log.
    pub fn tail(&mut self, log: LogName, database: &mut Database) {
        let (known, copy) = (&mut self.known[index(log)], &mut self.copies[index(log)]);
        let head = database.head(log);
        let entries = database.read_after(log, known.read_from(&head, KEEP as u64), PAGE);
        match decide(known, &head, entries) {
            Decision::Append(entries) if entries.is_empty() => return,
            Decision::Append(entries) => copy.append(entries),
            Decision::Reset { base, entries } => {
                copy.extent = LogExtent { log_id: head.log_id, base, head: base };
                copy.entries.clear();
                copy.append(entries);
            }
            Decision::Restored => return database.renew(log, &head.log_id),
        }
        *known = copy.known();
    }

    pub fn is_level(&self, log: LogName, database: &Database) -> bool {
        let (own, head) = (&self.known[index(log)].extent, database.head(log));
        (&own.log_id, own.head) == (&head.log_id, head.number)
    }

    pub fn fetch(&self, log: LogName, after: &Position, database: &mut Database, dice: &mut Dice) -> Fetched {
        let known = &self.known[index(log)];
        let nothing = Fetched::Entries { entries: Vec::new(), head: known.extent.head };
        match standing(known, after) {
            Standing::Behind => {
                let entries = self.copies[index(log)].entries.iter().filter(|entry| entry.number > after.number);
                Fetched::Entries { entries: entries.take(1 + dice.roll(6)).cloned().collect(), head: known.extent.head }
            }
            Standing::TooFarBehind => Fetched::SnapshotRequired,
            Standing::Level => nothing,
            Standing::Unknown => {
                let head = database.head(log);
                match verify(&head, after) {
                    Verdict::Ahead => nothing,
                    Verdict::Elsewhere => Fetched::SnapshotRequired,
                    Verdict::Restored => {
                        database.renew(log, &head.log_id);
                        Fetched::SnapshotRequired
                    }
                }
            }
        }
    }

    /// The process starts anew from its disk.
    pub fn crash(&mut self) {
        for (known, copy) in self.known.iter_mut().zip(&self.copies) {
            *known = copy.known();
        }
    }
}
