//! Who owns which slot, and who is alive.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use domain::contract::lease_ledger::{NodeRow, Picture, SlotRow};
use domain::throttling::Slot;

use super::{Refusal, signed, unsigned};
use crate::database::ApimConn;
use crate::dialect::lease_block as dialect;

diesel::table! {
    lease_slot (slot) {
        slot -> Integer,
        owner -> Text,
        epoch -> BigInt,
    }
}

diesel::table! {
    lease_node (node) {
        node -> Text,
        renewals -> BigInt,
    }
}

pub(super) fn renew(conn: &mut ApimConn, node: &str) -> Result<Picture, Refusal> {
    let mut nodes = nodes(conn)?;
    let is_alone = nodes.len() == 1 && nodes.iter().all(|row| row.node == node);
    if !is_alone {
        let renewed = diesel::update(lease_node::table.find(node))
            .set(lease_node::renewals.eq(lease_node::renewals + 1))
            .execute(conn.db())?;
        if renewed == 0 {
            diesel::insert_into(lease_node::table)
                .values((lease_node::node.eq(node), lease_node::renewals.eq(1)))
                .execute(conn.db())?;
            nodes.push(NodeRow { node: node.to_owned(), renewals: 1 });
        }
    }
    let slots = lease_slot::table.order(lease_slot::slot).load::<(i32, String, i64)>(conn.db())?;
    Ok(Picture { nodes, slots: slots.into_iter().filter_map(slot_row).collect() })
}

fn nodes(conn: &mut ApimConn) -> Result<Vec<NodeRow>, Refusal> {
    let rows = lease_node::table.load::<(String, i64)>(conn.db())?;
    Ok(rows.into_iter().map(|(node, renewals)| NodeRow { node, renewals: unsigned(renewals) }).collect())
}

/// Rows that were seen alike change in one statement.
pub(super) fn assign(conn: &mut ApimConn, owner: &str, seen: &[SlotRow]) -> Result<Vec<SlotRow>, Refusal> {
    let mut alike: BTreeMap<(&str, u64), Vec<i32>> = BTreeMap::new();
    for row in seen {
        alike.entry((&row.owner, row.epoch)).or_default().push(number(row.slot));
    }
    // In the order in which who reserves holds them.
    dialect::lock_slots(conn.db(), alike.values().flatten().copied().collect())?;
    let mut changed = Vec::new();
    for ((before, epoch), slots) in alike {
        let same = lease_slot::owner.eq(before).and(lease_slot::epoch.eq(signed(epoch)));
        let rows = lease_slot::table.filter(lease_slot::slot.eq_any(&slots)).filter(same);
        diesel::update(rows)
            .set((lease_slot::owner.eq(owner), lease_slot::epoch.eq(signed(epoch + 1))))
            .execute(conn.db())?;
        // Locked by the update until the commit. An earlier try of the same owner, whose answer was lost, counts as well.
        let now = lease_slot::table
            .filter(lease_slot::slot.eq_any(&slots))
            .filter(lease_slot::owner.eq(owner))
            .filter(lease_slot::epoch.eq(signed(epoch + 1)))
            .select((lease_slot::slot, lease_slot::owner, lease_slot::epoch));
        changed.extend(now.load::<(i32, String, i64)>(conn.db())?.into_iter().filter_map(slot_row));
    }
    Ok(changed)
}

pub(super) fn leave(conn: &mut ApimConn, node: &str) -> Result<(), Refusal> {
    diesel::update(lease_slot::table.filter(lease_slot::owner.eq(node)))
        .set(lease_slot::owner.eq(""))
        .execute(conn.db())?;
    diesel::delete(lease_node::table.find(node)).execute(conn.db())?;
    Ok(())
}

pub(super) fn bury(conn: &mut ApimConn, seen: &[NodeRow]) -> Result<(), Refusal> {
    for row in seen {
        let unchanged = lease_node::table.find(&row.node).filter(lease_node::renewals.eq(signed(row.renewals)));
        diesel::delete(unchanged).execute(conn.db())?;
    }
    Ok(())
}

/// Nobody can become the owner of these slots until the transaction ends.
pub(super) fn hold(conn: &mut ApimConn, slots: impl Iterator<Item = Slot>) -> Result<(), Refusal> {
    let numbers: BTreeSet<i32> = slots.map(number).collect();
    Ok(dialect::hold_slots(conn.db(), numbers)?)
}

/// The epochs of slots.
pub(super) fn epochs(conn: &mut ApimConn, slots: impl Iterator<Item = Slot>) -> Result<HashMap<Slot, i64>, Refusal> {
    let numbers: BTreeSet<i32> = slots.map(number).collect();
    let rows = lease_slot::table.filter(lease_slot::slot.eq_any(numbers)).select((lease_slot::slot, lease_slot::epoch));
    let rows = rows.load::<(i32, i64)>(conn.db())?;
    let epoch = |(number, epoch): (i32, i64)| Some((Slot::numbered(usize::try_from(number).ok()?)?, epoch));
    Ok(rows.into_iter().filter_map(epoch).collect())
}

fn slot_row((slot, owner, epoch): (i32, String, i64)) -> Option<SlotRow> {
    let slot = usize::try_from(slot).ok().and_then(Slot::numbered)?;
    Some(SlotRow { slot, owner, epoch: unsigned(epoch) })
}

fn number(slot: Slot) -> i32 {
    i32::try_from(slot.number()).unwrap_or(i32::MAX)
}
