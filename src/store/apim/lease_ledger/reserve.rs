//! Reservations: many in one transaction, each guarded by its limit.

use std::collections::{HashMap, HashSet};

use domain::contract::lease_ledger::{Reservation, Reserved};
use domain::throttling::Slot;

use super::{Refusal, signed, slots, unsigned};
use crate::database::ApimConn;
use crate::dialect::lease_block::{self as dialect, Block};

/// What a window's row says, and will say.
struct Row {
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
    write(conn, wishes, &rows)?;
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
    let places: HashSet<Place<'_>> = wishes.map(place).collect();
    let keys = places.iter().map(|(key, _)| *key).collect();
    let windows = places.iter().map(|(_, window)| *window).collect();
    let found = dialect::locked(conn.db(), keys, windows)?;
    let found: HashMap<Place<'_>, i64> =
        found.iter().map(|(key, window, units)| ((key.as_str(), *window), *units)).collect();
    let row = |place: Place<'a>| (place, Row { before: found.get(&place).copied(), added: 0 });
    Ok(places.into_iter().map(row).collect())
}

/// Somebody who has inserted one of the missing rows meanwhile makes this a conflict, and the transaction is tried anew.
fn write(conn: &mut ApimConn, wishes: &[Reservation], rows: &HashMap<Place<'_>, Row>) -> Result<(), Refusal> {
    let (mut missing, mut grown) = (Vec::new(), Vec::new());
    let ends: HashMap<Place<'_>, i64> = wishes.iter().map(|wish| (place(wish), wish.window_end.as_millis())).collect();
    for (place @ (key, window_id), row) in rows.iter().filter(|(_, row)| row.added > 0) {
        let window_end = ends.get(place).copied().unwrap_or_default();
        let block = Block { key: (*key).to_owned(), window_id: *window_id, window_end, reserved: row.added };
        if row.before.is_some() { grown.push(block) } else { missing.push(block) }
    }
    dialect::insert(conn.db(), &missing)?;
    dialect::add(conn.db(), &grown)?;
    Ok(())
}
