//! Windows aligned to the calendar in UTC, as WSO2's are: a minute starts at second 0, a month on its first day.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use super::policy::TimeUnit;
use crate::Timestamp;

/// A half-open interval of time `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Window {
    /// The window of `unit_time` x `unit` that contains `now`. Seconds to weeks count from the epoch (weeks from a
    /// Monday), months and years from January of year 1, so that the same instant always gives the same window.
    #[must_use]
    pub fn containing(now: Timestamp, unit_time: u32, unit: TimeUnit) -> Self {
        let unit_time = unit_time.max(1);
        match unit {
            TimeUnit::Month => Self::of_months(now, unit_time),
            TimeUnit::Year => Self::of_months(now, unit_time.saturating_mul(12)),
            _ => {
                let length = i64::try_from(unit.nominal_ms().saturating_mul(u64::from(unit_time))).unwrap_or(i64::MAX);
                // 1970-01-01 was a Thursday: weeks are shifted to start on Monday.
                let shift = if unit == TimeUnit::Week { 3 * 86_400_000 } else { 0 };
                let start = (now.as_millis() + shift).div_euclid(length) * length - shift;
                Self { start: Timestamp::from_millis(start), end: Timestamp::from_millis(start.saturating_add(length)) }
            }
        }
    }

    fn of_months(now: Timestamp, months: u32) -> Self {
        let date: DateTime<Utc> = now.to_utc();
        let index = u32::try_from(date.year().max(1) - 1).unwrap_or(0) * 12 + date.month0();
        let first = index / months * months;
        let start = first_day(first);
        Self {
            start: midnight(start),
            end: midnight(start.checked_add_months(Months::new(months)).unwrap_or(start + Days::new(1))),
        }
    }
}

fn first_day(months_since_year_one: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1)
        .and_then(|date| date.checked_add_months(Months::new(months_since_year_one)))
        .unwrap_or_default()
}

fn midnight(date: NaiveDate) -> Timestamp {
    Timestamp::from_millis(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn window(now: &str, unit_time: u32, unit: TimeUnit) -> (String, String) {
        let window = Window::containing(at(now), unit_time, unit);
        (window.start.to_string(), window.end.to_string())
    }

    #[test]
    fn a_minute_starts_at_second_zero() {
        let expected = ("2026-03-04T05:06:00.000Z".to_owned(), "2026-03-04T05:07:00.000Z".to_owned());
        assert_eq!(window("2026-03-04T05:06:07.890Z", 1, TimeUnit::Min), expected);
    }

    #[test]
    fn a_week_starts_on_monday() {
        let expected = ("2026-03-02T00:00:00.000Z".to_owned(), "2026-03-09T00:00:00.000Z".to_owned());
        assert_eq!(window("2026-03-04T05:06:07.890Z", 1, TimeUnit::Week), expected);
    }

    #[test]
    fn a_month_has_its_own_length() {
        let expected = ("2028-02-01T00:00:00.000Z".to_owned(), "2028-03-01T00:00:00.000Z".to_owned());
        assert_eq!(window("2028-02-29T23:59:59.999Z", 1, TimeUnit::Month), expected);
    }

    #[test]
    fn a_year_starts_in_january() {
        let expected = ("2026-01-01T00:00:00.000Z".to_owned(), "2027-01-01T00:00:00.000Z".to_owned());
        assert_eq!(window("2026-12-31T23:59:59.999Z", 1, TimeUnit::Year), expected);
    }

    #[test]
    fn every_instant_lies_in_its_window() {
        for unit in TimeUnit::ALL {
            for unit_time in [1, 2, 7] {
                for now in [0, 1, 999, 86_399_999, 1_700_000_000_123, 4_102_444_800_000] {
                    let now = Timestamp::from_millis(now);
                    let window = Window::containing(now, unit_time, unit);
                    assert!(window.start <= now && now < window.end, "{now} not in {window:?}");
                }
            }
        }
    }
}
