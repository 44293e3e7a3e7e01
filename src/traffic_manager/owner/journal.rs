//! The one writer of reservations: what many keys want at a moment is committed together.

use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::contract::lease_ledger::{Reservation, Reserved};
use domain::contract::{LedgerError, ThrottleUnavailable};
use domain::throttling::Shape;
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};

use super::{Owner, monotonic};

/// Orders that wait at a time; whoever comes then waits for a place.
const QUEUE_MAX: usize = 16_384;

/// Most reservations of one transaction.
const BATCH_MAX: usize = 512;

/// The right to reserve for a key.
pub(super) type OwnTurn = OwnedMutexGuard<()>;

/// A block that is wanted for a key.
pub(super) struct Order {
    /// As it is asked for; the ledger's key says more.
    pub key: String,
    pub shape: Shape,
    pub reservation: Reservation,
}

/// The turn comes back, or why nothing was written.
type Outcome = Result<OwnTurn, Arc<LedgerError>>;

/// An order on its way. It is carried out whether or not somebody still waits: units that the ledger has given must not be
/// lost, and who moves the slot waits for the turn.
pub(super) struct Entry {
    order: Order,
    turn: OwnTurn,
    waiter: Option<oneshot::Sender<Outcome>>,
}

/// The way to the writer.
pub(super) struct Journal {
    queue: mpsc::Sender<Entry>,
}

impl Journal {
    pub(super) fn new() -> (Self, mpsc::Receiver<Entry>) {
        let (queue, entries) = mpsc::channel(QUEUE_MAX);
        (Self { queue }, entries)
    }

    /// Reserves a block, which then is in the key's bucket.
    pub(super) async fn reserve(&self, order: Order, turn: OwnTurn) -> Result<OwnTurn, ThrottleUnavailable> {
        let (waiter, outcome) = oneshot::channel();
        // The writer ends with the runtime only.
        let stopped = |_| ThrottleUnavailable::Undecided(Some("the traffic manager stops".into()));
        self.queue.send(Entry { order, turn, waiter: Some(waiter) }).await.map_err(|_| stopped(()))?;
        let outcome = outcome.await.map_err(|_| stopped(()))?;
        outcome.map_err(|error| ThrottleUnavailable::Unable(Some(Box::new(error))))
    }

    /// The same without waiting for it; when many wait already, nothing is done.
    pub(super) fn reserve_ahead(&self, order: Order, turn: OwnTurn) {
        // Whoever needs the units asks again, and waits.
        let _ = self.queue.try_send(Entry { order, turn, waiter: None });
    }
}

/// Carries out orders until the owner is gone.
pub(super) async fn run(owner: Weak<Owner>, mut entries: mpsc::Receiver<Entry>) {
    let (mut batch, mut next) = (Vec::new(), monotonic());
    while entries.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let wait = next.saturating_duration_since(monotonic());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
            // Those that came meanwhile go along.
            while batch.len() < BATCH_MAX
                && let Ok(entry) = entries.try_recv()
            {
                batch.push(entry);
            }
        }
        let Some(owner) = owner.upgrade() else { return };
        next = monotonic() + Duration::from_secs(1) / owner.config.ledger_writes_per_second.max(1);
        commit(&owner, std::mem::take(&mut batch)).await;
    }
}

async fn commit(owner: &Owner, batch: Vec<Entry>) {
    let wishes = batch.iter().map(|entry| entry.order.reservation.clone()).collect();
    owner.counters.ledger_writes.inc();
    match owner.ledger.reserve(wishes).await {
        Ok(reserved) => {
            for (Entry { order, turn, waiter }, reserved) in batch.into_iter().zip(reserved) {
                owner.enter(&order, reserved);
                answer(waiter, Ok(turn));
            }
        }
        Err(error) => {
            owner.ledger_failed(batch.iter().map(|entry| entry.order.key.as_str()));
            tracing::debug!(error = &error as &dyn std::error::Error, "blocks cannot be reserved");
            let error = Arc::new(error);
            for Entry { waiter, .. } in batch {
                answer(waiter, Err(Arc::clone(&error)));
            }
        }
    }
}

fn answer(waiter: Option<oneshot::Sender<Outcome>>, outcome: Outcome) {
    if let Some(waiter) = waiter {
        // Who asked may be gone, which ends the turn.
        let _ = waiter.send(outcome);
    }
}

impl Owner {
    /// Takes in what became of an order. Units of a window that is over are of no use to anybody.
    fn enter(&self, order: &Order, reserved: Reserved) {
        let Order { key, shape, reservation } = order;
        let Reservation { slot, epoch, window_id, limit, units: wanted, .. } = *reservation;
        let units = match reserved {
            Reserved::Units(units) => units,
            Reserved::Fenced { current } => {
                tracing::warn!(epoch.held = epoch, epoch.current = current, "another traffic manager owns a slot");
                return self.ownership.slots().fenced(slot, epoch);
            }
        };
        self.counters.reservations.inc();
        self.keys.find(key, |place| {
            place.rare().failed_until = None;
            if let Some(bucket) = place.bucket.as_mut().filter(|bucket| bucket.is_of(window_id, *shape, epoch)) {
                bucket.add(limit, wanted, units);
            }
        });
    }
}
