//! Reservations: many in one transaction, each guarded by its limit.

use std::collections::HashMap;

use domain::contract::lease_ledger::{Reservation, Reserved};
use domain::throttling::Slot;

use super::{Refusal, signed, slots, unsigned};
use crate::database::ApimConn;
use crate::dialect::lease_block::{self as dialect, Block};

/// What a window's row says, and will say.
struct Row {
    window_end: i64,
    /// `None` as long as there is none.
    before: Option<i64>,
    added: i64,
}

impl Row {
    fn total(&self) -> i64 {
        self.before.unwrap_or(0).saturating_add(self.added)
    }
}

pub(super) fn reserve(conn: &mut ApimConn, wishes: &[Reservation]) -> Result<Vec<Reserved>, Refusal> {
    slots::hold(conn, wishes.iter().filter(|wish| wish.opens_with_a_call).map(|wish| wish.slot))?;
    let epochs = slots::epochs(conn, wishes.iter().map(|wish| wish.slot))?;
    let epoch = |slot: Slot| epochs.get(&slot).copied().unwrap_or(0);
    let mut rows = rows(conn, wishes.iter().filter(|wish| signed(wish.epoch) == epoch(wish.slot)))?;
    let reserved = wishes.iter().map(|wish| {
        let Some(row) = rows.get_mut(&place(wish)).filter(|_| signed(wish.epoch) == epoch(wish.slot)) else {
            return Reserved::Fenced { current: unsigned(epoch(wish.slot)) };
        };
        let units = signed(wish.units).min(signed(wish.limit).saturating_sub(row.total())).max(0);
        row.added = row.added.saturating_add(units);
        Reserved::Units(unsigned(units))
    });
    let reserved = reserved.collect();
    write(conn, &rows)?;
    Ok(reserved)
}

type Place<'a> = (&'a str, i64);

fn place(wish: &Reservation) -> Place<'_> {
    (&wish.key, wish.window_id)
}

/// The rows of the wishes' windows, which nobody else changes until this transaction ends; those that are missing are empty.
fn rows<'a>(
    conn: &mut ApimConn,
    wishes: impl Iterator<Item = &'a Reservation>,
) -> Result<HashMap<Place<'a>, Row>, Refusal> {
    let row =
        |wish: &'a Reservation| (place(wish), Row { window_end: wish.window_end.as_millis(), before: None, added: 0 });
    let mut rows: HashMap<Place<'_>, Row> = wishes.map(row).collect();
    let keys = rows.keys().map(|(key, _)| *key).collect();
    let windows = rows.keys().map(|(_, window)| *window).collect();
    let found = dialect::locked(conn.db(), keys, windows)?;
    let found: HashMap<Place<'_>, i64> =
        found.iter().map(|(key, window, units)| ((key.as_str(), *window), *units)).collect();
    rows.iter_mut().for_each(|(place, row)| row.before = found.get(place).copied());
    Ok(rows)
}

/// Somebody who has inserted one of the missing rows meanwhile makes this a conflict, and the transaction is tried anew.
fn write(conn: &mut ApimConn, rows: &HashMap<Place<'_>, Row>) -> Result<(), Refusal> {
    let (mut missing, mut grown) = (Vec::new(), Vec::new());
    for ((key, window_id), row) in rows.iter().filter(|(_, row)| row.added > 0) {
        let Row { window_end, before, added: reserved } = *row;
        let block = Block { key: (*key).to_owned(), window_id: *window_id, window_end, reserved };
        if before.is_some() { grown.push(block) } else { missing.push(block) }
    }
    dialect::insert(conn.db(), &missing)?;
    dialect::add(conn.db(), &grown)?;
    Ok(())
}
