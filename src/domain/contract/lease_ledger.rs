//! The durable side of leases: budget is written down before it is granted, and so is who may grant.

use async_trait::async_trait;

use crate::Timestamp;
use crate::throttling::Slot;

/// Why the ledger was not written.
#[derive(Debug, thiserror::Error)]
#[error("the lease ledger cannot be written")]
pub struct LedgerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What became of a [`Reservation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// So many units, 0 when the window is used up.
    Units(u64),
    /// None: another owner has taken the slot since, under this epoch. The caller must stop granting from it.
    Fenced { current: u64 },
}

/// A block of units that an owner wants to grant from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Of the throttle key.
    pub slot: Slot,
    pub key: String,
    pub epoch: u64,
    /// Start of the window in milliseconds since the epoch.
    pub window_id: i64,
    pub window_end: Timestamp,
    /// Units that the window admits in all.
    pub limit: u64,
    /// Units wanted.
    pub units: u64,
    /// Whether the window opened with a call. Then the epoch is not only looked at but stays what it is until the block is
    /// written, so that the next owner finds the window ([`LeaseLedger::open_since`]) and opens no other.
    pub opens_with_a_call: bool,
}

/// Who owns a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    pub slot: Slot,
    /// Id of a node; empty when nobody owns the slot.
    pub owner: String,
    /// Grows with each change of ownership.
    pub epoch: u64,
}

/// A traffic manager's sign of life. What the number is does not matter, only that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    pub node: String,
    pub renewals: u64,
}

/// Everything about ownership, read at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    pub nodes: Vec<NodeRow>,
    pub slots: Vec<SlotRow>,
}

/// Reservations survive crashes: after one, what was reserved counts as spent.
#[async_trait]
pub trait LeaseLedger: Send + Sync {
    /// Renews what `node` owns, all of it by its one row, and looks around. A node that is alone writes nothing once its row is
    /// there: nobody is waiting for a sign.
    async fn renew(&self, node: &str) -> Result<Picture, LedgerError>;

    /// Compare and set: makes `owner` the owner of those slots that still are as `seen`. Returns their new rows.
    async fn assign(&self, owner: &str, seen: Vec<SlotRow>) -> Result<Vec<SlotRow>, LedgerError>;

    /// Gives up all that `node` owns, and its row.
    async fn leave(&self, node: &str) -> Result<(), LedgerError>;

    /// Forgets nodes that still are as `seen`.
    async fn bury(&self, seen: Vec<NodeRow>) -> Result<(), LedgerError>;

    /// Reserves for each wish up to its `units`, never more than `limit` in all within one window over all epochs. Fenced by
    /// the slot's epoch. One transaction for all of them; the answers come in the order of the wishes.
    async fn reserve(&self, wishes: Vec<Reservation>) -> Result<Vec<Reserved>, LedgerError>;

    /// The start of the latest window under this name that was written down and has not ended at `at`. What was written under an
    /// earlier epoch than the asker's is seen for certain.
    async fn open_since(&self, key: &str, at: Timestamp) -> Result<Option<Timestamp>, LedgerError>;

    /// Units that are reserved in a window, by whomever; see [`Reservation::key`].
    async fn reserved(&self, key: &str, window_id: i64) -> Result<u64, LedgerError>;

    /// Takes back units that were reserved and will never be granted, because their slot moves to another owner. Whoever calls
    /// must have forgotten them before.
    async fn put_back(&self, unspent: Vec<Reservation>) -> Result<(), LedgerError>;

    /// Forgets windows that ended before `before`; returns how many.
    async fn forget_ended(&self, before: Timestamp) -> Result<u64, LedgerError>;
}
