//! The decision core: what an answer of the hub means for one log. No I/O, no clock.
//!
//! Entries take effect once and in the order of their numbers: an entry is applied only when its number is the next one,
//! what was applied before is skipped, and a gap is asked for again. The position never goes back within one log.

use std::collections::BTreeSet;

use domain::content::kind;
use domain::contract::event_bus::Fetched;
use domain::event::{LogEntry, LogName, Position};
use domain::runtime::Snapshot;
use node_store::last_good::Parts;

use crate::table::EarlierRevocations;

/// Answers with a gap in a row after which only a snapshot helps.
const GAPS_MAX: u32 = 3;

/// How far one log is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    applied: Position,
    gaps: u32,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask for the entries after this position.
    Fetch(Position),
    /// Nothing is known yet.
    Snapshot,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// The next entries, consecutive and never empty: persist them, apply them, then [`Cursor::advance`].
    Apply(Vec<LogEntry>),
    /// Nothing new; ask again.
    Nothing,
    /// Entries are missing in between; ask again after a pause.
    Gap,
    /// The position is worthless.
    Snapshot,
}

impl Cursor {
    #[must_use]
    pub fn new(applied: Position) -> Self {
        Self { applied, gaps: 0 }
    }

    #[must_use]
    pub fn applied(&self) -> &Position {
        &self.applied
    }

    #[must_use]
    pub fn next(&self) -> Next {
        if self.applied.log_id.is_empty() { Next::Snapshot } else { Next::Fetch(self.applied.clone()) }
    }

    /// Judges the answer to the question that was asked at the position `asked`. An answer to an outdated question (a
    /// snapshot came in between) counts for what of it is still new.
    pub fn take(&mut self, asked: &Position, answer: Fetched) -> Taken {
        if asked.log_id != self.applied.log_id {
            return Taken::Nothing;
        }
        let mut entries = match answer {
            Fetched::SnapshotRequired if asked.number < self.applied.number => return Taken::Nothing,
            Fetched::SnapshotRequired => return Taken::Snapshot,
            Fetched::Entries { entries, .. } => entries,
        };
        let is_news = |entry: &LogEntry| entry.number > self.applied.number;
        entries.retain(is_news);
        entries.sort_by_key(|entry| entry.number);
        entries.dedup_by_key(|entry| entry.number);
        if entries.is_empty() {
            return Taken::Nothing;
        }
        let consecutive = (self.applied.number + 1..).zip(&entries).take_while(|(next, entry)| *next == entry.number);
        let count = consecutive.count();
        if count > 0 {
            self.gaps = 0;
            entries.truncate(count);
            return Taken::Apply(entries);
        }
        self.gaps += 1;
        if self.gaps < GAPS_MAX { Taken::Gap } else { Taken::Snapshot }
    }

    /// What of a batch that was [taken](Taken::Apply) from the log `log_id` is still the next thing to apply: a snapshot
    /// may have been installed since, while artifacts were fetched.
    #[must_use]
    pub fn still_next(&self, log_id: &str, mut entries: Vec<LogEntry>) -> Vec<LogEntry> {
        entries.retain(|entry| entry.number > self.applied.number);
        let is_next = entries.first().is_some_and(|first| first.number == self.applied.number + 1);
        if self.applied.log_id == log_id && is_next { entries } else { Vec::new() }
    }

    /// The entries up to `number` are persisted and applied. Never goes back.
    pub fn advance(&mut self, number: u64) {
        self.applied.number = self.applied.number.max(number);
    }

    /// Whether the content of a snapshot at this position may replace what is applied: of another log always, of the
    /// same one only when it is newer, because going back would undo what was acknowledged.
    #[must_use]
    pub fn accepts(&self, snapshot: &Position) -> bool {
        snapshot.log_id != self.applied.log_id || snapshot.number > self.applied.number
    }

    /// What becomes of the revocations in the tables when a snapshot is installed, for the revocation log's cursor: they
    /// go only with the log that brought them and the part of the snapshot that replaces it.
    #[must_use]
    pub fn earlier_revocations(&self, snapshot: &Position) -> EarlierRevocations {
        if snapshot.log_id == self.applied.log_id { EarlierRevocations::Keep } else { EarlierRevocations::Drop }
    }

    /// A snapshot that was [accepted](Self::accepts) is persisted and loaded.
    pub fn install(&mut self, snapshot: Position) {
        *self = Self::new(snapshot);
    }
}

fn newer(control: &Cursor, revocation: &Cursor, snapshot: &Snapshot) -> Parts {
    Parts { control: control.accepts(&snapshot.control), revocation: revocation.accepts(&snapshot.revocation) }
}

/// Which parts of a snapshot may be installed; `None` when the one that `wanted` names is not newer than what is applied.
#[must_use]
pub fn parts(wanted: LogName, control: &Cursor, revocation: &Cursor, snapshot: &Snapshot) -> Option<Parts> {
    let parts = newer(control, revocation, snapshot);
    let is_wanted = match wanted {
        LogName::Control => parts.control,
        LogName::Revocation => parts.revocation,
    };
    is_wanted.then_some(parts)
}

/// What of a snapshot mends `kinds` of what is stored: parts that are newer as a whole, and of the others those kinds, if
/// it is of the very moment that is applied. `None` when it mends nothing.
#[must_use]
pub fn mending(
    control: &Cursor,
    revocation: &Cursor,
    snapshot: &Snapshot,
    kinds: &BTreeSet<String>,
) -> Option<(Parts, BTreeSet<String>)> {
    let parts = newer(control, revocation, snapshot);
    let is_at = |kind: &&String| match kind.as_str() {
        kind::REVOCATION => *revocation.applied() == snapshot.revocation,
        _ => *control.applied() == snapshot.control,
    };
    let kinds: BTreeSet<String> = kinds.iter().filter(is_at).cloned().collect();
    (parts.control || parts.revocation || !kinds.is_empty()).then_some((parts, kinds))
}

#[cfg(test)]
mod tests {
    use domain::event::{Event, SCHEMA_VERSION};
    use domain::{ApiId, EventId, Organization, Timestamp};

    use super::*;

    pub(super) fn entry(number: u64) -> LogEntry {
        LogEntry {
            number,
            event_id: EventId::random(),
            schema: SCHEMA_VERSION,
            at: Timestamp::from_millis(0),
            event: Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() },
        }
    }

    fn at(number: u64) -> Position {
        Position { log_id: "log".into(), number }
    }

    fn answer(numbers: &[u64]) -> Fetched {
        Fetched::Entries { entries: numbers.iter().copied().map(entry).collect(), head: 100 }
    }

    fn applied(taken: Taken) -> Vec<u64> {
        let Taken::Apply(entries) = taken else { panic!("{taken:?}") };
        entries.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn an_empty_cursor_needs_a_snapshot() {
        assert_eq!(Cursor::new(Position::default()).next(), Next::Snapshot);
        assert_eq!(Cursor::new(at(3)).next(), Next::Fetch(at(3)));
    }

    #[test]
    fn only_the_entries_that_follow_are_applied() {
        let mut cursor = Cursor::new(at(3));
        assert_eq!(applied(cursor.take(&at(3), answer(&[2, 3, 4, 5, 7]))), [4, 5]);
        assert_eq!(applied(cursor.take(&at(3), answer(&[5, 4, 4]))), [4, 5]);
        assert_eq!(cursor.take(&at(3), answer(&[1, 3])), Taken::Nothing);
    }

    #[test]
    fn a_gap_that_stays_needs_a_snapshot() {
        let mut cursor = Cursor::new(at(3));
        assert_eq!(cursor.take(&at(3), answer(&[5])), Taken::Gap);
        assert_eq!(cursor.take(&at(3), answer(&[6])), Taken::Gap);
        assert_eq!(cursor.take(&at(3), answer(&[5])), Taken::Snapshot);
    }

    #[test]
    fn answers_to_outdated_questions_cost_nothing() {
        let mut cursor = Cursor::new(at(3));
        let elsewhere = Position { log_id: "old".into(), number: 3 };
        assert_eq!(cursor.take(&elsewhere, answer(&[4])), Taken::Nothing);
        assert_eq!(cursor.take(&at(2), Fetched::SnapshotRequired), Taken::Nothing);
        assert_eq!(cursor.take(&at(3), Fetched::SnapshotRequired), Taken::Snapshot);
    }

    #[test]
    fn an_older_snapshot_of_the_same_log_is_refused() {
        let cursor = Cursor::new(at(3));
        assert!(!cursor.accepts(&at(2)) && !cursor.accepts(&at(3)) && cursor.accepts(&at(4)));
        assert!(cursor.accepts(&Position { log_id: "new".into(), number: 0 }));
    }
}
