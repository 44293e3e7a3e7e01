//! What is known of keys, for people and for programs.

use std::fmt::Write as _;

use control_plane::throttle_keys::CountedKey;
use domain::contract::throttle_inspector::{Count, KeyState, WindowState};
use domain::throttling::{Limit, Quota, Shape, Slot, TimeUnit, WindowKind};
use serde_json::{Value, json};

/// A key that was asked for.
pub(super) struct Subject {
    pub key: String,
    /// `None` when nothing tells its quota.
    pub counted: Option<CountedKey>,
}

impl Subject {
    pub(super) fn of(counted: CountedKey) -> Self {
        Self { key: counted.key.clone(), counted: Some(counted) }
    }

    fn limit(&self) -> Option<&Limit> {
        self.counted.as_ref()?.limit.as_ref()
    }

    /// What its windows are like, as far as that is known.
    fn shape(&self, window: Option<&WindowState>) -> Option<Shape> {
        let counted = self.counted.as_ref().and_then(|own| own.limit.as_ref().map(|limit| limit.shape(own.zone)));
        counted.or_else(|| window.map(|window| window.shape))
    }
}

/// A key and what its owner says; no state where nothing is counted.
pub(super) struct Explained {
    pub subject: Subject,
    pub state: Option<KeyState>,
}

/// Whether the next call passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passes,
    /// Only where a gateway holds units.
    PassesWhereLent,
    Refused,
    /// It is over the quota, and the policy lets it pass.
    PassesOverQuota,
    /// The limit is not known.
    Unknown,
}

impl Explained {
    pub(super) fn json(all: &[Self]) -> Value {
        all.iter().map(Self::value).collect()
    }

    pub(super) fn text(all: &[Self]) -> String {
        let mut text = String::new();
        for explained in all {
            explained.write(&mut text);
        }
        if all.iter().any(|own| own.state.is_some()) {
            text.push_str(
                "Not shown: spike arrest and back-end maxima, which each gateway keeps by itself, and calls that gateways let \
                 pass while no traffic manager answered them.\n",
            );
        }
        text
    }

    fn verdict(&self) -> Option<Verdict> {
        let count = &self.state.as_ref()?.count;
        let lent = count.lent()?;
        let Some(limit) = self.subject.limit().and_then(Limit::counted_units) else { return Some(Verdict::Unknown) };
        let stops = self.subject.counted.as_ref().is_none_or(|counted| counted.stops);
        Some(match (count.remaining(limit)?, lent) {
            (1.., _) => Verdict::Passes,
            (0, 1..) => Verdict::PassesWhereLent,
            (0, 0) if stops => Verdict::Refused,
            (0, 0) => Verdict::PassesOverQuota,
        })
    }

    fn value(&self) -> Value {
        let Self { subject, state } = self;
        let (counted, limit) = (subject.counted.as_ref(), subject.limit());
        let units = limit.and_then(Limit::counted_units);
        let count = state.as_ref().map(|state| &state.count);
        let window = count.and_then(Count::window);
        let shape = subject.shape(window);
        let is_refused = self.verdict().filter(|verdict| *verdict != Verdict::Unknown);
        let is_refused = is_refused.map(|verdict| verdict == Verdict::Refused);
        json!({
            "level": counted.map(|counted| counted.level),
            "key": subject.key,
            "policy": counted.map(|counted| counted.policy.as_str()),
            "unit": limit.map(unit),
            "limit": units,
            "used": count.and_then(Count::used),
            "lent": count.and_then(Count::lent),
            "remaining": units.zip(count).and_then(|(units, count)| count.remaining(units)),
            "isExact": count.and_then(Count::is_exact),
            "stopOnQuotaReach": counted.map(|counted| counted.stops),
            "isRefused": is_refused,
            "refusedUntil": window.filter(|_| is_refused == Some(true)).map(|window| window.end.to_string()),
            "windowKind": shape.map(|shape| shape.kind().as_str()),
            "timeZone": shape.map(|shape| shape.zone().name()),
            "isWindowOpen": count.and_then(Count::is_open),
            "windowStart": window.map(|window| window.start.to_string()),
            "windowEnd": window.map(|window| window.end.to_string()),
            "resetsInSeconds": window.map(WindowState::ends_in_secs),
            "owner": state.as_ref().map(|state| state.owner.as_str()),
            "epoch": state.as_ref().map(|state| state.epoch),
            "slot": state.as_ref().map(|state| state.slot.number()),
            "reserved": window.map(|window| window.reserved),
            "free": window.map(|window| window.free),
        })
    }

    // Writing into a String cannot fail.
    fn write(&self, out: &mut String) {
        let Self { subject, state } = self;
        let title = match &subject.counted {
            Some(counted) => {
                let limit = counted.limit.as_ref().map_or_else(|| "no limit".to_owned(), shown_limit);
                format!("{} quota: policy {}, {limit}", counted.level, counted.policy)
            }
            None => "a key whose policy is not known here".to_owned(),
        };
        let _ = writeln!(out, "{title}\n  key      {}", subject.key);
        let Some(state) = state else {
            out.push_str("  now      nothing is counted: calls pass\n\n");
            return;
        };
        match &state.count {
            Count::Open(window) => self.write_window(window, out),
            Count::NoneOpen => self.write_none_open(out),
            Count::Unknown => out.push_str("  now      not counted at present: no call in the current window\n"),
        }
        let KeyState { owner, epoch, slot, .. } = state;
        let _ = writeln!(out, "  owner    {owner} (slot {} of {}, epoch {epoch})\n", slot.number(), Slot::COUNT);
    }

    /// What is used, and whether calls pass while something is left.
    fn write_none_open(&self, out: &mut String) {
        self.write_units([0, 0], |units| units, out);
        if self.verdict() == Some(Verdict::Passes) {
            out.push_str("  PASSES   this quota refuses no call\n");
        }
        out.push_str("  window   no window is open: the next call opens one\n");
    }

    fn write_units(&self, [used, lent]: [u64; 2], remaining: impl FnOnce(u64) -> u64, out: &mut String) {
        let limit = self.subject.limit();
        let unit = limit.map_or("units", unit);
        let _ = match limit.and_then(Limit::counted_units) {
            Some(units) => {
                let remaining = remaining(units);
                writeln!(out, "  now      {used} of {units} {unit} used, {lent} lent to gateways, {remaining} remain")
            }
            None => {
                writeln!(out, "  now      {used} {unit} used, {lent} lent to gateways; the limit is not known here")
            }
        };
    }

    fn write_window(&self, window: &WindowState, out: &mut String) {
        let ends_in = window.ends_in_secs();
        self.write_units([window.used(), window.lent], |units| window.remaining(units), out);
        if !window.is_exact {
            out.push_str(
                "           (not every gateway has told what it holds: some that count as used may be lent)\n",
            );
        }
        let _ = match self.verdict() {
            Some(Verdict::Refused) => {
                writeln!(out, "  REFUSED  every call until {}, for {ends_in} s more", window.end)
            }
            Some(Verdict::PassesWhereLent) => {
                writeln!(
                    out,
                    "  NEARLY   calls pass only at gateways that hold some of those lent, until {}",
                    window.end
                )
            }
            Some(Verdict::PassesOverQuota) => {
                writeln!(
                    out,
                    "  PASSES   the quota is used up, but the policy lets calls pass (stopOnQuotaReach is false)"
                )
            }
            Some(Verdict::Passes) => writeln!(out, "  PASSES   this quota refuses no call"),
            Some(Verdict::Unknown) | None => Ok(()),
        };
        let by_whom = shown_calendar(self.subject.shape(Some(window)));
        let _ = writeln!(out, "  window   {} to {}, ends in {ends_in} s{by_whom}", window.start, window.end);
        let _ = writeln!(
            out,
            "  ledger   {} reserved in the database, {} of them still with the owner",
            window.reserved, window.free
        );
    }
}

fn unit(limit: &Limit) -> &'static str {
    match limit.quota {
        Quota::RequestCount { .. } => "calls",
        Quota::Bandwidth { .. } => "bytes",
        Quota::EventCount { .. } => "events",
    }
}

/// `5000 calls per min`, `1024 bytes per 2 hours`.
pub(super) fn shown_limit(limit: &Limit) -> String {
    let amount = match limit.quota {
        Quota::RequestCount { requests } => requests,
        Quota::Bandwidth { bytes } => bytes,
        Quota::EventCount { events } => events,
    };
    let window = shown_window(limit.unit_time, limit.time_unit);
    // The words of custom rules.
    let opening = match limit.window {
        WindowKind::Aligned => "",
        WindowKind::FirstRequest => " from first request",
    };
    format!("{amount} {} per {window}{opening}", unit(limit))
}

/// Whose calendar counts, where it is not UTC's.
fn shown_calendar(shape: Option<Shape>) -> String {
    let zone = shape.map(Shape::zone).filter(|zone| !zone.is_utc());
    zone.map_or_else(String::new, |zone| format!(" (by the calendar of {})", zone.name()))
}

fn shown_window(unit_time: u32, time_unit: TimeUnit) -> String {
    if unit_time == 1 { time_unit.as_str().to_owned() } else { format!("{unit_time} {}", time_unit.as_str()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Timestamp, Zone};

    use super::*;

    fn explained(used: u64, lent: u64, stops: bool) -> Explained {
        let limit = Limit::new(Quota::RequestCount { requests: 10 }, 1, TimeUnit::Min);
        let key = "app:1:bob".to_owned();
        let window = WindowState {
            shape: Shape::aligned(1, TimeUnit::Min),
            start: Timestamp::from_secs(1_700_000_040),
            end: Timestamp::from_secs(1_700_000_100),
            ends_in: Duration::from_millis(12_001),
            reserved: 10,
            free: 10 - used - lent,
            lent,
            is_exact: true,
        };
        Explained {
            state: Some(KeyState {
                key: key.clone(),
                slot: Slot::of(&key),
                owner: "tm-1".to_owned(),
                epoch: 3,
                count: Count::Open(window),
            }),
            subject: Subject::of(CountedKey {
                level: "application",
                key,
                policy: "Ten".to_owned(),
                limit: Some(limit),
                stops,
                zone: Zone::UTC,
            }),
        }
    }

    #[test]
    fn an_operator_reads_whether_calls_pass_and_until_when_they_do_not() {
        let refused = Explained::text(&[explained(10, 0, true)]);
        for line in [
            "application quota: policy Ten, 10 calls per min",
            "  now      10 of 10 calls used, 0 lent to gateways, 0 remain",
            "  REFUSED  every call until 2023-11-14T22:15:00.000Z, for 13 s more",
            "  window   2023-11-14T22:14:00.000Z to 2023-11-14T22:15:00.000Z, ends in 13 s",
            "  ledger   10 reserved in the database, 0 of them still with the owner",
        ] {
            assert!(refused.lines().any(|own| own == line), "no '{line}' in\n{refused}");
        }
        assert!(refused.contains("  owner    tm-1 (slot "), "{refused}");
        assert!(Explained::text(&[explained(8, 2, true)]).contains("  NEARLY "));
        assert!(Explained::text(&[explained(3, 2, true)]).contains("  PASSES   this quota"));
        assert!(Explained::text(&[explained(10, 0, false)]).contains("stopOnQuotaReach"));
    }

    #[test]
    fn a_program_reads_the_same() {
        let value = &Explained::json(&[explained(10, 0, true)])[0];
        assert_eq!([&value["used"], &value["lent"], &value["remaining"]], [&json!(10), &json!(0), &json!(0)]);
        assert_eq!([&value["isRefused"], &value["refusedUntil"]], [&json!(true), &json!("2023-11-14T22:15:00.000Z")]);
        assert_eq!([&value["owner"], &value["epoch"]], [&json!("tm-1"), &json!(3)]);
        assert_eq!(Explained::json(&[explained(3, 2, true)])[0]["isRefused"], false);
    }

    #[test]
    fn a_window_that_is_not_open_yet_is_told_so() {
        let mut own = explained(0, 0, true);
        own.subject.counted.as_mut().unwrap().limit.as_mut().unwrap().window = WindowKind::FirstRequest;
        own.state.as_mut().unwrap().count = Count::NoneOpen;
        let value = own.value();
        assert_eq!([&value["used"], &value["lent"], &value["remaining"]], [&json!(0), &json!(0), &json!(10)]);
        assert_eq!([&value["isWindowOpen"], &value["isRefused"]], [&json!(false), &json!(false)]);
        assert_eq!(value["windowKind"], "first-request");
        for name in ["windowStart", "windowEnd", "resetsInSeconds", "refusedUntil", "reserved"] {
            assert_eq!(value[name], Value::Null, "{name}");
        }
        let text = Explained::text(&[own]);
        for line in [
            "application quota: policy Ten, 10 calls per min from first request",
            "  now      0 of 10 calls used, 0 lent to gateways, 10 remain",
            "  PASSES   this quota refuses no call",
            "  window   no window is open: the next call opens one",
        ] {
            assert!(text.lines().any(|own| own == line), "no '{line}' in\n{text}");
        }
    }

    #[test]
    fn whose_calendar_counts_is_told() {
        let mut own = explained(3, 2, true);
        let counted = own.subject.counted.as_mut().unwrap();
        counted.zone = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(own.value()["timeZone"], "UTC", "a minute is the same everywhere");
        own.subject.counted.as_mut().unwrap().limit.as_mut().unwrap().time_unit = TimeUnit::Day;
        assert_eq!(own.value()["timeZone"], "Europe/Berlin");
        let text = Explained::text(&[own]);
        assert!(text.contains(" s (by the calendar of Europe/Berlin)\n"), "{text}");
    }
}
