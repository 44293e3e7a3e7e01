//! The durable side of leases: what may be granted is written down first.
//!
//! One row per key and window holds all that was ever reserved in it, whoever reserved it. A reservation only ever adds
//! to that row, guarded by the limit, so a window cannot be granted twice by anybody: after a crash the rest of a block
//! simply counts as spent. The epoch of the key's slot tells an owner that it was replaced; exactness does not depend on it.

mod slots;

use async_trait::async_trait;
use diesel::prelude::*;
use domain::Timestamp;
use domain::contract::LedgerError;
use domain::contract::lease_ledger::{LeaseLedger, NodeRow, Picture, Reservation, SlotRow};

use crate::database::{ApimConn, ApimDb};
use crate::error::{StoreError, TransactionError};

diesel::table! {
    lease_block (key, window_id) {
        key -> Text,
        window_id -> BigInt,
        window_end -> BigInt,
        reserved -> BigInt,
    }
}

/// Times that a reservation looks again because another one came between; each round someone else succeeded.
const ROUNDS_MAX: usize = 64;

/// `contract::LeaseLedger` on `apim_db`.
#[derive(Debug, Clone)]
pub struct ApimLeaseLedger {
    db: ApimDb,
}

impl ApimLeaseLedger {
    #[must_use]
    pub fn new(db: ApimDb) -> Self {
        Self { db }
    }
}

#[async_trait]
impl LeaseLedger for ApimLeaseLedger {
    async fn renew(&self, node: &str) -> Result<Picture, LedgerError> {
        let node = node.to_owned();
        Ok(self.db.write(move |conn| slots::renew(conn, &node)).await?)
    }

    async fn assign(&self, owner: &str, seen: Vec<SlotRow>) -> Result<Vec<SlotRow>, LedgerError> {
        let owner = owner.to_owned();
        Ok(self.db.write(move |conn| slots::assign(conn, &owner, &seen)).await?)
    }

    async fn leave(&self, node: &str) -> Result<(), LedgerError> {
        let node = node.to_owned();
        Ok(self.db.write(move |conn| slots::leave(conn, &node)).await?)
    }

    async fn bury(&self, seen: Vec<NodeRow>) -> Result<(), LedgerError> {
        Ok(self.db.write(move |conn| slots::bury(conn, &seen)).await?)
    }

    async fn reserve(&self, reservation: Reservation) -> Result<u64, LedgerError> {
        let units = self.db.write(move |conn| reserve(conn, &reservation)).await;
        Ok(unsigned(units.map_err(LedgerError::from)?))
    }

    async fn put_back(&self, unspent: Vec<Reservation>) -> Result<(), LedgerError> {
        Ok(self.db.write(move |conn| unspent.iter().try_for_each(|block| put_back(conn, block))).await?)
    }

    async fn forget_ended(&self, before: Timestamp) -> Result<u64, LedgerError> {
        let count = self.db.write(move |conn| forget_ended(conn, before)).await;
        Ok(count.map_err(LedgerError::from)? as u64)
    }
}

/// Why a transaction of the ledger ended.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("fenced")]
    Fenced { held: u64, current: u64 },
}

impl TransactionError for Refusal {
    fn is_retryable(&self) -> bool {
        match self {
            // Two first reservations of one window met: the second finds the row when it tries anew.
            Self::Store(StoreError::Conflict { .. }) => true,
            Self::Store(error) => error.is_retryable(),
            Self::Fenced { .. } => false,
        }
    }
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Refusal> for LedgerError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(error) => Self::Unavailable(Box::new(error)),
            Refusal::Fenced { held, current } => Self::Fenced { held, current },
        }
    }
}

fn reserve(conn: &mut ApimConn, wish: &Reservation) -> Result<i64, Refusal> {
    let current = slots::epoch(conn, wish.slot)?;
    if signed(wish.epoch) != current {
        return Err(Refusal::Fenced { held: wish.epoch, current: unsigned(current) });
    }
    let limit = signed(wish.limit);
    let units = signed(wish.units).min(limit);
    if units == 0 {
        return Ok(0);
    }
    let block = lease_block::table.find((&wish.key, wish.window_id));
    for _ in 0..ROUNDS_MAX {
        let reserved: Option<i64> = block.select(lease_block::reserved).first(conn.db()).optional()?;
        let Some(reserved) = reserved else {
            insert(conn, wish, units)?;
            return Ok(units);
        };
        let units = units.min(limit.saturating_sub(reserved));
        if units <= 0 {
            return Ok(0);
        }
        // Only when the row still is as read: another reservation may have been committed in between.
        let guarded = block.filter(lease_block::reserved.eq(reserved));
        let changed =
            diesel::update(guarded).set(lease_block::reserved.eq(lease_block::reserved + units)).execute(conn.db())?;
        if changed == 1 {
            return Ok(units);
        }
    }
    Err(StoreError::Busy.into())
}

fn insert(conn: &mut ApimConn, wish: &Reservation, units: i64) -> Result<(), Refusal> {
    diesel::insert_into(lease_block::table)
        .values((
            lease_block::key.eq(&wish.key),
            lease_block::window_id.eq(wish.window_id),
            lease_block::window_end.eq(wish.window_end.as_millis()),
            lease_block::reserved.eq(units),
        ))
        .execute(conn.db())?;
    Ok(())
}

/// Harmless whoever owns the slot by now: these units were reserved and nobody can have been granted one of them.
fn put_back(conn: &mut ApimConn, block: &Reservation) -> Result<(), Refusal> {
    let units = signed(block.units);
    let row = lease_block::table.find((&block.key, block.window_id)).filter(lease_block::reserved.ge(units));
    diesel::update(row).set(lease_block::reserved.eq(lease_block::reserved - units)).execute(conn.db())?;
    Ok(())
}

fn forget_ended(conn: &mut ApimConn, before: Timestamp) -> Result<usize, Refusal> {
    let ended = lease_block::table.filter(lease_block::window_end.lt(before.as_millis()));
    Ok(diesel::delete(ended).execute(conn.db())?)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
