//! The durable side of leases: what may be granted is written down first.
//!
//! One row per key and window holds all that was ever reserved in it, whoever reserved it. A reservation only ever adds
//! to that row, guarded by the limit, so a window cannot be granted twice by anybody: after a crash the rest of a block
//! simply counts as spent. The epoch of the key's slot tells an owner that it was replaced; exactness does not depend on it.

mod reserve;
pub(crate) mod slots;

use async_trait::async_trait;
use diesel::prelude::*;
use domain::Timestamp;
use domain::contract::LedgerError;
use domain::contract::lease_ledger::{LeaseLedger, NodeRow, Picture, Reservation, Reserved, SlotRow};

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

    async fn reserve(&self, wishes: Vec<Reservation>) -> Result<Vec<Reserved>, LedgerError> {
        Ok(self.db.write(move |conn| reserve::reserve(conn, &wishes)).await?)
    }

    async fn open_since(&self, key: &str, at: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let key = key.to_owned();
        Ok(self.db.read(move |conn| open_since(conn, &key, at)).await?)
    }

    async fn reserved(&self, key: &str, window_id: i64) -> Result<u64, LedgerError> {
        let key = key.to_owned();
        let units = self.db.read(move |conn| reserved(conn, &key, window_id)).await;
        Ok(unsigned(units.map_err(LedgerError::from)?))
    }

    async fn put_back(&self, unspent: Vec<Reservation>) -> Result<(), LedgerError> {
        Ok(self.db.write(move |conn| unspent.iter().try_for_each(|block| put_back(conn, block))).await?)
    }

    async fn forget_ended(&self, before: Timestamp) -> Result<u64, LedgerError> {
        Ok(self.db.write(move |conn| forget_ended(conn, before)).await? as u64)
    }
}

/// Why a transaction of the ledger ended.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Refusal(#[from] StoreError);

impl TransactionError for Refusal {
    fn is_retryable(&self) -> bool {
        // Two first reservations of one window met: the second finds the row when it tries anew.
        matches!(self.0, StoreError::Conflict { .. }) || self.0.is_retryable()
    }
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.into())
    }
}

impl From<Refusal> for LedgerError {
    fn from(Refusal(error): Refusal) -> Self {
        Self(Box::new(error))
    }
}

fn reserved(conn: &mut ApimConn, key: &str, window_id: i64) -> Result<i64, Refusal> {
    let block = lease_block::table.find((key, window_id));
    Ok(block.select(lease_block::reserved).first(conn.db()).optional()?.unwrap_or(0))
}

/// Harmless whoever owns the slot by now: these units were reserved and nobody can have been granted one of them.
fn put_back(conn: &mut ApimConn, block: &Reservation) -> Result<(), Refusal> {
    let units = signed(block.units);
    let row = lease_block::table.find((&block.key, block.window_id)).filter(lease_block::reserved.ge(units));
    diesel::update(row).set(lease_block::reserved.eq(lease_block::reserved - units)).execute(conn.db())?;
    Ok(())
}

fn open_since(conn: &mut ApimConn, key: &str, at: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let open = lease_block::table.filter(lease_block::key.eq(key)).filter(lease_block::window_end.gt(at.as_millis()));
    let start: Option<i64> = open.select(diesel::dsl::max(lease_block::window_id)).first(conn.db())?;
    Ok(start.map(Timestamp::from_millis))
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
