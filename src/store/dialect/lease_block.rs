//! Many rows of the lease ledger at once. PostgreSQL takes each step as one statement; for SQLite, whose statements cost no
//! round trip, one row after the other is as good.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::AnyConnection;
use crate::apim::lease_ledger::lease_block;
use crate::apim::lease_ledger::slots::lease_slot;

/// A row, or what is added to one.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = lease_block)]
pub(crate) struct Block {
    pub key: String,
    pub window_id: i64,
    pub window_end: i64,
    pub reserved: i64,
}

/// Rows of these keys and windows: key, window and units. Nobody else can change them until the transaction ends; SQLite's
/// transactions that write are alone anyway.
pub(crate) fn locked(
    connection: &mut AnyConnection,
    keys: BTreeSet<&str>,
    windows: BTreeSet<i64>,
) -> QueryResult<Vec<(String, i64, i64)>> {
    let rows = lease_block::table
        .filter(lease_block::key.eq_any(keys))
        .filter(lease_block::window_id.eq_any(windows))
        // Always in the same order: who locks as many cannot wait in a circle.
        .order((lease_block::key, lease_block::window_id))
        .select((lease_block::key, lease_block::window_id, lease_block::reserved));
    match connection {
        AnyConnection::Sqlite(connection) => rows.load(connection),
        AnyConnection::Postgres(connection) => rows.for_update().load(connection),
    }
}

/// Lets nobody change these slots until the transaction ends; others may hold them as well. SQLite's transactions that write are
/// alone anyway.
pub(crate) fn hold_slots(connection: &mut AnyConnection, slots: BTreeSet<i32>) -> QueryResult<()> {
    if let AnyConnection::Postgres(connection) = connection
        && !slots.is_empty()
    {
        let rows = lease_slot::table.filter(lease_slot::slot.eq_any(slots)).order(lease_slot::slot);
        rows.select(lease_slot::slot).for_share().load::<i32>(connection)?;
    }
    Ok(())
}

/// The same before they are changed.
pub(crate) fn lock_slots(connection: &mut AnyConnection, slots: BTreeSet<i32>) -> QueryResult<()> {
    if let AnyConnection::Postgres(connection) = connection {
        let rows = lease_slot::table.filter(lease_slot::slot.eq_any(slots)).order(lease_slot::slot);
        rows.select(lease_slot::slot).for_update().load::<i32>(connection)?;
    }
    Ok(())
}

/// Makes rows that were missing.
pub(crate) fn insert(connection: &mut AnyConnection, blocks: &[Block]) -> QueryResult<()> {
    match connection {
        _ if blocks.is_empty() => {}
        AnyConnection::Sqlite(connection) => {
            for block in blocks {
                diesel::insert_into(lease_block::table).values(block).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            diesel::insert_into(lease_block::table).values(blocks).execute(connection)?;
        }
    }
    Ok(())
}

/// Adds to rows that are locked.
pub(crate) fn add(connection: &mut AnyConnection, blocks: &[Block]) -> QueryResult<()> {
    match connection {
        _ if blocks.is_empty() => {}
        AnyConnection::Sqlite(connection) => {
            for block in blocks {
                diesel::update(lease_block::table.find((&block.key, block.window_id)))
                    .set(lease_block::reserved.eq(lease_block::reserved + block.reserved))
                    .execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            let keys: Vec<&str> = blocks.iter().map(|block| block.key.as_str()).collect();
            let windows: Vec<i64> = blocks.iter().map(|block| block.window_id).collect();
            let units: Vec<i64> = blocks.iter().map(|block| block.reserved).collect();
            diesel::sql_query(
                "UPDATE lease_block SET reserved = lease_block.reserved + added.units \
                 FROM unnest($1, $2, $3) AS added (key, window_id, units) \
                 WHERE lease_block.key = added.key AND lease_block.window_id = added.window_id",
            )
            .bind::<Array<Text>, _>(keys)
            .bind::<Array<BigInt>, _>(windows)
            .bind::<Array<BigInt>, _>(units)
            .execute(connection)?;
        }
    }
    Ok(())
}
