//! The durable side of leases: budget is written down before it is granted.

use async_trait::async_trait;

use crate::Timestamp;

/// Why nothing was reserved.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another owner has taken over since; the caller must stop granting.
    #[error("epoch {held} is over, epoch {current} owns the ledger")]
    Fenced { held: u64, current: u64 },
    #[error("the lease ledger cannot be written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A block of units that an owner wants to grant from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub key: String,
    pub epoch: u64,
    /// Start of the window in milliseconds since the epoch.
    pub window_id: i64,
    pub window_end: Timestamp,
    /// Units that the window admits in all.
    pub limit: u64,
    /// Units wanted.
    pub units: u64,
}

/// Reservations survive crashes: after one, what was reserved counts as spent.
#[async_trait]
pub trait LeaseLedger: Send + Sync {
    /// Takes ownership and returns the new epoch, greater than all before.
    async fn take_over(&self, owner: &str) -> Result<u64, LedgerError>;

    /// Reserves up to `units`, never more than `limit` in all within one window over all epochs; returns how many
    /// units were reserved (0 when the window is used up).
    async fn reserve(&self, reservation: Reservation) -> Result<u64, LedgerError>;

    /// Forgets windows that ended before `before`; returns how many.
    async fn forget_ended(&self, before: Timestamp) -> Result<u64, LedgerError>;
}
