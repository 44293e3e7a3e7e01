//! Windows in which calls are counted. Aligned ones follow the calendar, as WSO2's do: a minute starts at second 0, a month
//! on its first day. Those of the first request open with a call.

mod aligned;

use std::time::Duration;

use chrono::Months;
use serde::{Deserialize, Serialize};

use super::policy::TimeUnit;
use crate::{Timestamp, Zone};

/// A half-open interval of time `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Window {
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// When a window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowKind {
    /// By the calendar, whether there are calls or not.
    #[default]
    Aligned,
    /// With the first call that is counted after the window before has ended.
    FirstRequest,
}

impl WindowKind {
    pub const ALL: [Self; 2] = [Self::Aligned, Self::FirstRequest];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aligned => "aligned",
            Self::FirstRequest => "first-request",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it is what a limit has that says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What windows of a limit are like. Two shapes are equal when their windows are for certain. Written like the members of a
/// [`crate::contract::throttle::LeaseRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Shape {
    unit_time: u32,
    time_unit: TimeUnit,
    #[serde(rename = "window", skip_serializing_if = "WindowKind::is_default")]
    kind: WindowKind,
    /// [`Zone::UTC`] where it makes no difference.
    #[serde(skip_serializing_if = "Zone::is_utc")]
    zone: Zone,
}

/// A shape as somebody wrote it, before it is what [`Shape::new`] says.
#[derive(Deserialize)]
struct Written {
    unit_time: u32,
    time_unit: TimeUnit,
    #[serde(default)]
    window: WindowKind,
    #[serde(default)]
    zone: Zone,
}

impl From<Written> for Shape {
    fn from(Written { unit_time, time_unit, window, zone }: Written) -> Self {
        Self::new(unit_time, time_unit, window, zone)
    }
}

impl Shape {
    /// Windows of `unit_time` (at least 1) x `time_unit`. The calendar of `zone` counts for aligned windows of hours and
    /// longer; seconds and minutes, and windows that open with a call, are the same everywhere.
    #[must_use]
    pub fn new(unit_time: u32, time_unit: TimeUnit, kind: WindowKind, zone: Zone) -> Self {
        let has_zone = kind == WindowKind::Aligned && !matches!(time_unit, TimeUnit::Sec | TimeUnit::Min);
        let zone = if has_zone { zone } else { Zone::UTC };
        Self { unit_time: unit_time.max(1), time_unit, kind, zone }
    }

    /// Aligned windows by UTC's calendar.
    #[must_use]
    pub fn aligned(unit_time: u32, time_unit: TimeUnit) -> Self {
        Self::new(unit_time, time_unit, WindowKind::Aligned, Zone::UTC)
    }

    /// Windows that open with a call.
    #[must_use]
    pub fn of_first_request(unit_time: u32, time_unit: TimeUnit) -> Self {
        Self::new(unit_time, time_unit, WindowKind::FirstRequest, Zone::UTC)
    }

    /// The same windows where clocks are those of `zone`.
    #[must_use]
    pub fn in_zone(self, zone: Zone) -> Self {
        Self::new(self.unit_time, self.time_unit, self.kind, zone)
    }

    #[must_use]
    pub fn unit_time(self) -> u32 {
        self.unit_time
    }

    #[must_use]
    pub fn time_unit(self) -> TimeUnit {
        self.time_unit
    }

    #[must_use]
    pub fn kind(self) -> WindowKind {
        self.kind
    }

    /// [`Zone::UTC`] also where the zone makes no difference.
    #[must_use]
    pub fn zone(self) -> Zone {
        self.zone
    }

    #[must_use]
    pub fn opens_with_a_call(self) -> bool {
        self.kind == WindowKind::FirstRequest
    }

    /// Length of a window in milliseconds when a month has 30 days and a day 24 hours.
    #[must_use]
    pub fn nominal_ms(self) -> u64 {
        self.time_unit.nominal_ms().saturating_mul(u64::from(self.unit_time))
    }

    /// The window of a call at `now`: the aligned one that contains it, or the one that opens with it. The same instant
    /// always gives the same window.
    #[must_use]
    pub fn window(self, now: Timestamp) -> Window {
        match self.kind {
            WindowKind::Aligned => aligned::containing(now, self.unit_time, self.time_unit, self.zone),
            WindowKind::FirstRequest => Window { start: now, end: self.end_of(now) },
        }
    }

    /// The name under which the windows of `key` are written down; with the start of `window` it stands for that window and
    /// for no other. Windows of UTC have had the short names from the beginning.
    #[must_use]
    pub fn name_of(self, key: &str, window: &Window) -> String {
        let (length, unit) = (self.unit_time, self.time_unit.as_str());
        if self.opens_with_a_call() {
            return format!("{key}|{length}{unit}-first");
        }
        let of_utc = Self { zone: Zone::UTC, ..self }.window(window.start);
        if of_utc == *window {
            return format!("{key}|{length}{unit}");
        }
        format!("{key}|{length}{unit}-{}", window.end.as_millis())
    }

    /// When a window ends that opens at `start`.
    fn end_of(self, start: Timestamp) -> Timestamp {
        let months = match self.time_unit {
            TimeUnit::Month => self.unit_time,
            TimeUnit::Year => self.unit_time.saturating_mul(12),
            _ => return start.plus(Duration::from_millis(self.nominal_ms())),
        };
        let end = start.to_utc().checked_add_months(Months::new(months));
        end.map_or(Timestamp::from_millis(i64::MAX), |end| Timestamp::from_millis(end.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn opened(start: &str, unit_time: u32, unit: TimeUnit) -> String {
        Shape::of_first_request(unit_time, unit).window(at(start)).end.to_string()
    }

    #[test]
    fn a_window_of_the_first_request_is_as_long_as_its_unit() {
        assert_eq!(opened("2026-03-04T05:06:07.890Z", 2, TimeUnit::Min), "2026-03-04T05:08:07.890Z");
        assert_eq!(opened("2026-03-29T00:30:00Z", 1, TimeUnit::Day), "2026-03-30T00:30:00.000Z");
        assert_eq!(opened("2026-01-31T12:00:00Z", 1, TimeUnit::Month), "2026-02-28T12:00:00.000Z");
        assert_eq!(opened("2024-02-29T12:00:00Z", 1, TimeUnit::Year), "2025-02-28T12:00:00.000Z");
    }

    #[test]
    fn a_zone_counts_for_aligned_windows_of_hours_and_longer_only() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for unit in [TimeUnit::Sec, TimeUnit::Min] {
            assert_eq!(Shape::new(1, unit, WindowKind::Aligned, berlin), Shape::aligned(1, unit));
        }
        let first = Shape::new(1, TimeUnit::Day, WindowKind::FirstRequest, berlin);
        assert_eq!(first, Shape::of_first_request(1, TimeUnit::Day));
        assert_ne!(Shape::new(1, TimeUnit::Day, WindowKind::Aligned, berlin), Shape::aligned(1, TimeUnit::Day));
    }

    #[test]
    fn windows_that_differ_have_different_names_and_equal_ones_the_same() {
        let name = |shape: Shape, now: &str| {
            let window = shape.window(at(now));
            (shape.name_of("k", &window), window.start)
        };
        let day = |zone: &str| Shape::new(1, TimeUnit::Day, WindowKind::Aligned, Zone::parse(zone).unwrap());
        // In winter London's days are UTC's; the day on which clocks are set begins with UTC's and ends with another one.
        assert_eq!(name(day("Europe/London"), "2026-01-05T12:00:00Z"), name(day("UTC"), "2026-01-05T12:00:00Z"));
        let (london, utc) =
            (name(day("Europe/London"), "2026-03-29T12:00:00Z"), name(day("UTC"), "2026-03-29T12:00:00Z"));
        assert_eq!(london.1, utc.1);
        assert_ne!(london.0, utc.0);
        assert_eq!(
            name(day("Europe/Berlin"), "2026-06-05T12:00:00Z"),
            name(day("Europe/Paris"), "2026-06-05T12:00:00Z")
        );
        assert_eq!(utc.0, "k|1day");
        assert_ne!(name(Shape::of_first_request(1, TimeUnit::Day), "2026-03-29T00:00:00Z").0, utc.0);
    }

    #[test]
    fn shapes_are_read_as_they_are_written_and_aligned_ones_of_utc_are_short() {
        let minute = serde_json::json!({"unit_time": 1, "time_unit": "min"});
        assert_eq!(serde_json::to_value(Shape::aligned(1, TimeUnit::Min)).unwrap(), minute);
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for shape in [
            Shape::aligned(1, TimeUnit::Min),
            Shape::of_first_request(2, TimeUnit::Day),
            Shape::new(1, TimeUnit::Day, WindowKind::Aligned, berlin),
        ] {
            let written = serde_json::to_string(&shape).unwrap();
            assert_eq!(serde_json::from_str::<Shape>(&written).unwrap(), shape, "{written}");
        }
        let odd = r#"{"unit_time": 0, "time_unit": "min", "zone": "Europe/Berlin"}"#;
        assert_eq!(serde_json::from_str::<Shape>(odd).unwrap(), Shape::aligned(1, TimeUnit::Min));
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in WindowKind::ALL {
            assert_eq!(WindowKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(WindowKind::parse("sliding"), None);
    }
}
