//! Windows by the calendar, of UTC or of another zone.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use super::Window;
use crate::throttling::TimeUnit;
use crate::{Timestamp, Zone};

const HOUR_MS: i64 = 3_600_000;

/// Windows after the one that clocks show which may be over by then: clocks are set back across an end once at most.
const BEHIND_MAX: usize = 2;

/// The window of `unit_time` x `unit` that contains `now` by the calendar of `zone`. A day of the zone starts when its clocks
/// first show midnight, so that days on which they are set have 23 or 25 hours; a single hour always has one.
pub(super) fn containing(now: Timestamp, unit_time: u32, unit: TimeUnit, zone: Zone) -> Window {
    if zone.is_utc() {
        return of_utc(now, unit_time, unit);
    }
    if (unit_time, unit) == (1, TimeUnit::Hour) {
        return hour(now, zone);
    }
    let mut shown = of_utc(zone.shown(now), unit_time, unit);
    for _ in 0..BEHIND_MAX {
        let end = zone.first_showing(shown.end);
        if now < end {
            return Window { start: zone.first_showing(shown.start), end };
        }
        shown = of_utc(shown.end, unit_time, unit);
    }
    Window { start: zone.first_showing(shown.start), end: zone.first_showing(shown.end) }
}

/// Clocks that are set by half an hour cut one in two.
fn hour(now: Timestamp, zone: Zone) -> Window {
    let ahead = zone.ahead_ms(now);
    let start = (now.as_millis() + ahead).div_euclid(HOUR_MS) * HOUR_MS - ahead;
    let (start, end) = (Timestamp::from_millis(start), Timestamp::from_millis(start + HOUR_MS));
    let last = Timestamp::from_millis(end.as_millis() - 1);
    Window {
        start: if zone.ahead_ms(start) == ahead { start } else { zone.set_between(start, now) },
        end: if zone.ahead_ms(last) == ahead { end } else { zone.set_between(now, last) },
    }
}

/// Seconds to weeks count from the epoch (weeks from a Monday), months and years from January of year 1.
fn of_utc(now: Timestamp, unit_time: u32, unit: TimeUnit) -> Window {
    match unit {
        TimeUnit::Month => of_months(now, unit_time),
        TimeUnit::Year => of_months(now, unit_time.saturating_mul(12)),
        _ => {
            let length = i64::try_from(unit.nominal_ms().saturating_mul(u64::from(unit_time))).unwrap_or(i64::MAX);
            // 1970-01-01 was a Thursday: weeks are shifted to start on Monday.
            let shift = if unit == TimeUnit::Week { 3 * 86_400_000 } else { 0 };
            let start = (now.as_millis() + shift).div_euclid(length) * length - shift;
            Window { start: Timestamp::from_millis(start), end: Timestamp::from_millis(start.saturating_add(length)) }
        }
    }
}

fn of_months(now: Timestamp, months: u32) -> Window {
    let date: DateTime<Utc> = now.to_utc();
    let index = u32::try_from(date.year().max(1) - 1).unwrap_or(0) * 12 + date.month0();
    let first = index / months * months;
    let start = first_day(first);
    Window {
        start: midnight(start),
        end: midnight(start.checked_add_months(Months::new(months)).unwrap_or(start + Days::new(1))),
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

    const ZONES: [&str; 8] = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "America/Havana",
        "Africa/Cairo",
        "America/St_Johns",
    ];

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn window_in(zone: &str, now: &str, unit_time: u32, unit: TimeUnit) -> (String, String) {
        let window = containing(at(now), unit_time, unit, Zone::parse(zone).unwrap());
        (window.start.to_string(), window.end.to_string())
    }

    fn window(now: &str, unit_time: u32, unit: TimeUnit) -> (String, String) {
        window_in("UTC", now, unit_time, unit)
    }

    fn pair(start: &str, end: &str) -> (String, String) {
        (at(start).to_string(), at(end).to_string())
    }

    #[test]
    fn a_minute_starts_at_second_zero() {
        let expected = pair("2026-03-04T05:06:00Z", "2026-03-04T05:07:00Z");
        assert_eq!(window("2026-03-04T05:06:07.890Z", 1, TimeUnit::Min), expected);
    }

    #[test]
    fn a_week_starts_on_monday() {
        let expected = pair("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z");
        assert_eq!(window("2026-03-04T05:06:07.890Z", 1, TimeUnit::Week), expected);
        let expected = pair("2026-03-01T23:00:00Z", "2026-03-08T23:00:00Z");
        assert_eq!(window_in("Europe/Berlin", "2026-03-08T22:59:59.999Z", 1, TimeUnit::Week), expected);
    }

    #[test]
    fn a_month_has_its_own_length() {
        let expected = pair("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z");
        assert_eq!(window("2028-02-29T23:59:59.999Z", 1, TimeUnit::Month), expected);
        let expected = pair("2028-03-01T05:00:00Z", "2028-04-01T04:00:00Z");
        assert_eq!(window_in("America/New_York", "2028-04-01T03:59:59.999Z", 1, TimeUnit::Month), expected);
    }

    #[test]
    fn a_year_starts_in_january() {
        let expected = pair("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_eq!(window("2026-12-31T23:59:59.999Z", 1, TimeUnit::Year), expected);
    }

    #[test]
    fn days_on_which_clocks_are_set_have_23_or_25_hours() {
        let short = pair("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        assert_eq!(window_in("Europe/Berlin", "2026-03-29T12:00:00Z", 1, TimeUnit::Day), short);
        let long = pair("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        assert_eq!(window_in("Europe/Berlin", "2026-10-25T22:59:00Z", 1, TimeUnit::Day), long);
    }

    #[test]
    fn a_day_without_a_midnight_starts_with_its_first_hour_and_one_with_two_with_the_first() {
        // Cairo's clocks go from 24:00 to 01:00.
        let day = window_in("Africa/Cairo", "2026-04-24T12:00:00Z", 1, TimeUnit::Day);
        assert_eq!(day, pair("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"));
        // Havana's go from 01:00 back to 00:00.
        let day = window_in("America/Havana", "2026-11-01T05:30:00Z", 1, TimeUnit::Day);
        assert_eq!(day, pair("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"));
    }

    #[test]
    fn a_day_that_clocks_go_back_into_is_not_opened_again() {
        // St John's went from 00:01 back to 23:01 of the day before.
        let second_time = window_in("America/St_Johns", "2008-11-02T03:00:00Z", 1, TimeUnit::Day);
        assert_eq!(second_time, pair("2008-11-02T02:30:00Z", "2008-11-03T03:30:00Z"));
    }

    #[test]
    fn an_hour_has_one_hour_whatever_clocks_do() {
        for now in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-03-29T01:30:00Z"] {
            let window = containing(at(now), 1, TimeUnit::Hour, Zone::parse("Europe/Berlin").unwrap());
            assert_eq!(window.end.as_millis() - window.start.as_millis(), HOUR_MS, "{now}");
        }
        let half = pair("2026-03-04T05:30:00Z", "2026-03-04T06:30:00Z");
        assert_eq!(window_in("Asia/Kolkata", "2026-03-04T06:00:00Z", 1, TimeUnit::Hour), half);
    }

    #[test]
    fn every_instant_lies_in_its_window_in_every_zone() {
        for zone in ZONES {
            let zone = Zone::parse(zone).unwrap();
            for unit in TimeUnit::ALL {
                for unit_time in [1, 2, 7] {
                    for now in [0, 1, 999, 86_399_999, 1_700_000_000_123, 4_102_444_800_000] {
                        let now = Timestamp::from_millis(now);
                        let window = containing(now, unit_time, unit, zone);
                        assert!(window.start <= now && now < window.end, "{now} not in {window:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn windows_follow_each_other_without_gaps_and_overlaps_through_two_years() {
        for zone in ZONES {
            let zone = Zone::parse(zone).unwrap();
            for (unit_time, unit) in [(1, TimeUnit::Hour), (6, TimeUnit::Hour), (1, TimeUnit::Day), (3, TimeUnit::Week)]
            {
                let mut window = containing(at("2007-06-01T00:00:00Z"), unit_time, unit, zone);
                while window.end < at("2009-06-01T00:00:00Z") {
                    let last = Timestamp::from_millis(window.end.as_millis() - 1);
                    let middle = Timestamp::from_millis((window.start.as_millis() + window.end.as_millis()) / 2);
                    assert_eq!(containing(middle, unit_time, unit, zone), window, "{zone:?} {unit:?}");
                    assert_eq!(containing(last, unit_time, unit, zone), window, "{zone:?} {unit:?}");
                    let next = containing(window.end, unit_time, unit, zone);
                    assert_eq!(next.start, window.end, "{zone:?} {unit_time} {unit:?}");
                    window = next;
                }
            }
        }
    }
}
