//! Time zones by their IANA names, and what the clocks on their walls show.

use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Timestamp;

/// No clock is set further than this at once; the largest step ever was a day.
const STEP_MS_MAX: i64 = 36 * 3_600_000;

/// A time zone. Written as its IANA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Zone {
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of an IANA name such as `Europe/Berlin`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Tz::from_str(name).ok().map(Self)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    #[must_use]
    pub fn is_utc(&self) -> bool {
        *self == Self::UTC
    }

    /// What clocks of the zone are ahead of UTC, in milliseconds.
    #[must_use]
    pub fn ahead_ms(self, at: Timestamp) -> i64 {
        let offset = self.0.offset_from_utc_datetime(&at.to_utc().naive_utc());
        i64::from(offset.fix().local_minus_utc()) * 1_000
    }

    /// What clocks of the zone show, written as if it were UTC.
    #[must_use]
    pub fn shown(self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.as_millis().saturating_add(self.ahead_ms(at)))
    }

    /// The first instant at which clocks of the zone show `shown` or, where they are set past it, later.
    #[must_use]
    pub fn first_showing(self, shown: Timestamp) -> Timestamp {
        let ahead = match self.0.offset_from_local_datetime(&naive(shown)) {
            LocalResult::Single(offset) => offset.fix().local_minus_utc(),
            LocalResult::Ambiguous(one, other) => one.fix().local_minus_utc().max(other.fix().local_minus_utc()),
            LocalResult::None => {
                let around = |ms: i64| Timestamp::from_millis(shown.as_millis().saturating_add(ms));
                return first(around(-STEP_MS_MAX), around(STEP_MS_MAX), |at| self.shown(at) >= shown);
            }
        };
        Timestamp::from_millis(shown.as_millis().saturating_sub(i64::from(ahead) * 1_000))
    }

    /// The instant in (`from`, `until`] at which clocks are set as they are at `until`. They are set once in between.
    #[must_use]
    pub fn set_between(self, from: Timestamp, until: Timestamp) -> Timestamp {
        let ahead = self.ahead_ms(until);
        first(from, until, |at| self.ahead_ms(at) == ahead)
    }
}

/// The first instant in (`from`, `until`] from which on `holds` does; it holds at `until`.
fn first(from: Timestamp, until: Timestamp, holds: impl Fn(Timestamp) -> bool) -> Timestamp {
    let (mut from, mut until) = (from.as_millis(), until.as_millis());
    while until.saturating_sub(from) > 1 {
        let middle = from + (until - from) / 2;
        if holds(Timestamp::from_millis(middle)) {
            until = middle;
        } else {
            from = middle;
        }
    }
    Timestamp::from_millis(until)
}

fn naive(at: Timestamp) -> NaiveDateTime {
    DateTime::from_timestamp_millis(at.as_millis()).unwrap_or_default().naive_utc()
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A name that this release does not know, because the one that wrote it has a newer list, means UTC: windows then begin
/// elsewhere, but nothing that carries the name is lost.
impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Self::parse(&name).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn a_zone_is_written_as_its_name_and_an_unknown_one_means_utc() {
        assert_eq!(serde_json::to_string(&zone("Europe/Berlin")).unwrap(), "\"Europe/Berlin\"");
        assert_eq!(serde_json::from_str::<Zone>("\"Europe/Berlin\"").unwrap(), zone("Europe/Berlin"));
        assert_eq!(serde_json::from_str::<Zone>("\"Mars/Olympus\"").unwrap(), Zone::UTC);
        assert!(Zone::parse("Berlin").is_none() && Zone::parse("").is_none());
    }

    #[test]
    fn a_time_that_is_shown_twice_is_first_shown_before_clocks_are_set_back() {
        let first = zone("Europe/Berlin").first_showing(at("2026-10-25T02:30:00Z"));
        assert_eq!(first, at("2026-10-25T00:30:00Z"));
        assert_eq!(zone("Europe/Berlin").shown(first), at("2026-10-25T02:30:00Z"));
    }

    #[test]
    fn a_time_that_is_never_shown_begins_when_clocks_are_set_past_it() {
        let set = at("2026-03-29T01:00:00Z");
        assert_eq!(zone("Europe/Berlin").first_showing(at("2026-03-29T02:30:00Z")), set);
        assert_eq!(zone("Europe/Berlin").set_between(at("2026-03-29T00:00:00Z"), at("2026-03-29T04:00:00Z")), set);
        // A whole day was left out.
        assert_eq!(zone("Pacific/Apia").first_showing(at("2011-12-30T12:00:00Z")), at("2011-12-30T10:00:00Z"));
    }
}
