//! What a replay found, as a table for people and as JSON for programs.

use std::io::{self, Write};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use super::replay::{Refused, Replay, Tally};
use super::trace::{Call, Counts};
use crate::commands::throttle::explained::shown_limit;

/// Keys that the table shows; JSON has all.
const KEYS_SHOWN: usize = 50;

/// One call of `--list`.
pub(super) fn line(out: &mut impl Write, refused: &Refused, call: &Call, as_json: bool) -> io::Result<()> {
    if !as_json {
        let (method, path) = (&call.method, &call.path);
        return writeln!(out, "{}  refused until {}  {}  {method} {path}", call.at, refused.until, refused.key);
    }
    let value = json!({
        "time": call.at.to_string(),
        "key": refused.key,
        "refusedUntil": refused.until.to_string(),
        "method": call.method,
        "path": call.path,
        "traceId": call.trace_id,
    });
    writeln!(out, "{value}")
}

pub(super) fn json(out: &mut impl Write, replay: &Replay, trace: &Counts) -> io::Result<()> {
    let Replay { draft, zone, counts, .. } = replay;
    let keys: Vec<Value> = sorted(replay)
        .into_iter()
        .map(|(key, tally)| {
            json!({
                "key": key,
                "calls": tally.calls,
                "admitted": tally.admitted,
                "refused": tally.refused,
                "firstRefusal": tally.first_refusal.map(shown),
                "lastRefusal": tally.last_refusal.map(shown),
                "longestRefusedSeconds": tally.longest.as_secs_f64(),
            })
        })
        .collect();
    let value = json!({
        "policy": draft.title,
        "insteadOf": draft.stands_for,
        "limit": draft.limit().map(shown_limit),
        "timeZone": zone.name(),
        "stopOnQuotaReach": draft.stops,
        "notTold": draft.blind_spots,
        "trace": {
            "from": trace.first.map(shown),
            "to": trace.last.map(shown),
            "lines": trace.lines,
            "calls": trace.calls,
            "withoutQuota": trace.ungoverned,
            "notCalls": trace.other,
            "unreadable": trace.unreadable,
        },
        "calls": {
            "admitted": counts.admitted,
            "refused": counts.refused,
            "unlimited": counts.unlimited,
            "underOtherPolicies": counts.elsewhere,
            "uncertain": counts.uncertain,
            "late": counts.late,
            "beyondKeys": counts.beyond_keys,
        },
        "keys": keys,
    });
    writeln!(out, "{value}")
}

pub(super) fn text(out: &mut impl Write, replay: &Replay, trace: &Counts) -> io::Result<()> {
    let Replay { draft, zone, counts, keys, .. } = replay;
    let limit = draft.limit().map_or_else(|| "no limit".to_owned(), shown_limit);
    writeln!(out, "draft     {}, {limit}, in place of '{}'", draft.title, draft.stands_for)?;
    writeln!(out, "zone      {}", zone.name())?;
    if let (Some(first), Some(last)) = (trace.first, trace.last) {
        writeln!(out, "log       {first} to {last}")?;
    }
    writeln!(
        out,
        "lines     {}: {} calls with a quota, {} calls without one, {} about other things, {} unreadable",
        trace.lines, trace.calls, trace.ungoverned, trace.other, trace.unreadable
    )?;
    let refused = if draft.stops { "refused" } else { "over the quota (and passed: stopOnQuotaReach is false)" };
    writeln!(
        out,
        "calls     {} admitted, {} {refused}; {} under other policies, {} without a limit",
        counts.admitted, counts.refused, counts.elsewhere, counts.unlimited
    )?;
    for note in notes(replay, trace) {
        writeln!(out, "note      {note}")?;
    }
    if keys.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>10} {:>10} {:>10}  {:24}  {:24}  {:>10}  key",
        "calls", "admitted", "refused", "first refusal", "last refusal", "longest"
    )?;
    for (key, tally) in sorted(replay).into_iter().take(KEYS_SHOWN) {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), shown);
        writeln!(
            out,
            "{:>10} {:>10} {:>10}  {:24}  {:24}  {:>10}  {key}",
            tally.calls,
            tally.admitted,
            tally.refused,
            time(tally.first_refusal),
            time(tally.last_refusal),
            shown_duration(tally.longest)
        )?;
    }
    if keys.len() > KEYS_SHOWN {
        writeln!(out, "and {} more keys; --json has all", keys.len() - KEYS_SHOWN)?;
    }
    Ok(())
}

/// What the reader must know to judge the numbers.
fn notes(replay: &Replay, trace: &Counts) -> Vec<String> {
    let Replay { draft, counts, .. } = replay;
    let mut notes = draft.blind_spots.clone();
    let held = counts.admitted + counts.refused + counts.unlimited;
    if trace.calls > 0 && held == 0 {
        notes.push(format!(
            "no call in the log counts under '{}' of this tenant: name the policy that it stands for with --instead-of, and \
             the tenant with --tenant",
            draft.stands_for
        ));
    }
    if trace.calls == 0 && trace.ungoverned > 0 {
        notes.push(
            "no call in the log came as far as its quotas, or the log is of an older release that does not tell what they \
             count by"
                .to_owned(),
        );
    }
    for (count, what) in [
        (counts.uncertain, "calls might have been taken by a group of conditions that the log cannot tell"),
        (counts.late, "calls stand in the log too late to be counted in their window, and were left out"),
        (counts.beyond_keys, "calls were left out: there are too many keys"),
    ] {
        if count > 0 {
            notes.push(format!("{count} {what}"));
        }
    }
    notes
}

/// The keys with the most refusals first.
fn sorted(replay: &Replay) -> Vec<(&String, &Tally)> {
    let mut keys: Vec<_> = replay.keys.iter().collect();
    keys.sort_by(|(one_key, one), (other_key, other)| {
        (other.refused, other.calls, one_key).cmp(&(one.refused, one.calls, other_key))
    });
    keys
}

fn shown(at: Timestamp) -> String {
    at.to_string()
}

fn shown_duration(duration: Duration) -> String {
    let seconds = duration.as_millis().div_ceil(1_000);
    match seconds {
        0 => "-".to_owned(),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}
