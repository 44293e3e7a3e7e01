//! The decision core of the relay: given what the copy holds and what the database says, what happens to the copy. Pure.

use domain::EventId;
use domain::event::{LogEntry, LogName, Position};
use node_store::broker_log::LogExtent;
use node_store::{BrokerLog, NodeStoreError};

/// What the local copy holds of one log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// The numbers.
    pub extent: LogExtent,
    /// Id of the entry with the number `extent.head`, if the copy holds it.
    pub newest: Option<EventId>,
}

impl Known {
    /// What the copy holds at start-up.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub fn load(broker: &BrokerLog, log: LogName) -> Result<Self, NodeStoreError> {
        let extent = broker.extent(log)?;
        let before = Position { log_id: extent.log_id.clone(), number: extent.head.saturating_sub(1) };
        let newest = broker.read_after(log, &before, 1)?.unwrap_or_default();
        Ok(Self { extent, newest: newest.first().map(|entry| entry.event_id) })
    }

    /// After which number to read the database when its log has this position: one entry is read again, to see that it
    /// is still the same.
    #[must_use]
    pub fn read_from(&self, head: &Position, keep: u64) -> u64 {
        if head.log_id == self.extent.log_id {
            return self.extent.head.saturating_sub(1);
        }
        head.number.saturating_sub(keep)
    }
}

/// What becomes of the copy.
#[derive(Debug, PartialEq)]
pub enum Decision {
    /// Consecutive new entries, maybe none.
    Append(Vec<LogEntry>),
    /// Another log, or entries are missing in between: the copy starts anew after `base`.
    Reset { base: u64, entries: Vec<LogEntry> },
    /// The database has lost entries that were read before: the log needs a new id.
    Restored,
}

/// Judges what the database says. `entries` are consecutive, as read after [`Known::read_from`] in the same transaction as `head`.
#[must_use]
pub fn decide(known: &Known, head: &Position, mut entries: Vec<LogEntry>) -> Decision {
    if head.log_id != known.extent.log_id {
        return reset(head, entries);
    }
    if head.number < known.extent.head {
        return Decision::Restored;
    }
    if let Some(again) = entries.first().filter(|entry| entry.number == known.extent.head) {
        if known.newest.is_some_and(|newest| newest != again.event_id) {
            return Decision::Restored;
        }
        entries.remove(0);
    }
    let next = entries.first().map_or(head.number + 1, |entry| entry.number);
    if next != known.extent.head + 1 {
        return reset(head, entries);
    }
    Decision::Append(entries)
}

/// How a reader's position relates to the local copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There are entries for it.
    Behind,
    /// Its next entry is no longer here.
    TooFarBehind,
    Level,
    /// Another log, or a number that this hub has not seen: only the database can tell.
    Unknown,
}

/// Judges a reader's position by what the copy holds.
#[must_use]
pub fn standing(known: &Known, after: &Position) -> Standing {
    let extent = &known.extent;
    if after.log_id != extent.log_id || after.number > extent.head {
        return Standing::Unknown;
    }
    match after.number {
        number if number < extent.base => Standing::TooFarBehind,
        number if number < extent.head => Standing::Behind,
        _ => Standing::Level,
    }
}

/// What the database says of a position that the copy does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The reader has been at another hub: this copy will be there soon.
    Ahead,
    /// Another log: the reader needs a snapshot.
    Elsewhere,
    /// The database has fewer entries than the reader has seen: it was restored, and the log needs a new id.
    Restored,
}

/// Judges a reader's position by the database's.
#[must_use]
pub fn verify(head: &Position, after: &Position) -> Verdict {
    if head.log_id != after.log_id {
        return Verdict::Elsewhere;
    }
    if after.number <= head.number { Verdict::Ahead } else { Verdict::Restored }
}

fn reset(head: &Position, entries: Vec<LogEntry>) -> Decision {
    let base = entries.first().map_or(head.number, |entry| entry.number.saturating_sub(1));
    Decision::Reset { base, entries }
}

#[cfg(test)]
mod tests {
    use domain::event::{Event, SCHEMA_VERSION};
    use domain::{ApiId, Organization, Timestamp};

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

    fn known(head: u64, newest: Option<&LogEntry>) -> Known {
        let extent = LogExtent { log_id: "a".into(), base: 0, head };
        Known { extent, newest: newest.map(|entry| entry.event_id) }
    }

    fn head(log_id: &str, number: u64) -> Position {
        Position { log_id: log_id.into(), number }
    }

    #[test]
    fn new_entries_are_appended_and_the_one_read_again_is_not() {
        let (old, new) = (entry(4), entry(5));
        let decision = decide(&known(4, Some(&old)), &head("a", 5), vec![old, new.clone()]);
        assert_eq!(decision, Decision::Append(vec![new]));
    }

    #[test]
    fn nothing_new_appends_nothing() {
        let old = entry(4);
        assert_eq!(decide(&known(4, Some(&old)), &head("a", 4), vec![old]), Decision::Append(vec![]));
        assert_eq!(decide(&known(0, None), &head("a", 0), vec![]), Decision::Append(vec![]));
        // The outbox was trimmed up to the copy's newest entry.
        assert_eq!(decide(&known(4, None), &head("a", 4), vec![]), Decision::Append(vec![]));
    }

    #[test]
    fn another_log_id_starts_the_copy_anew() {
        let first = entry(7);
        let decision = decide(&known(90, None), &head("b", 7), vec![first.clone()]);
        assert_eq!(decision, Decision::Reset { base: 6, entries: vec![first] });
        assert_eq!(decide(&known(90, None), &head("b", 3), vec![]), Decision::Reset { base: 3, entries: vec![] });
    }

    #[test]
    fn entries_that_were_trimmed_before_they_were_read_start_the_copy_anew() {
        let first = entry(9);
        let decision = decide(&known(4, None), &head("a", 9), vec![first.clone()]);
        assert_eq!(decision, Decision::Reset { base: 8, entries: vec![first] });
        assert_eq!(decide(&known(4, None), &head("a", 9), vec![]), Decision::Reset { base: 9, entries: vec![] });
    }

    #[test]
    fn a_restored_database_is_recognised_by_its_number_or_by_its_entry() {
        let seen = entry(4);
        assert_eq!(decide(&known(4, Some(&seen)), &head("a", 3), vec![]), Decision::Restored);
        assert_eq!(decide(&known(4, Some(&seen)), &head("a", 6), vec![entry(4), entry(5)]), Decision::Restored);
    }
}
