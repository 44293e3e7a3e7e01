//! Wins, renews, hands over and gives up slots: the shell around [`crate::slots`].

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::contract::lease_ledger::SlotRow;
use domain::contract::{LedgerError, ThrottleUnavailable};
use domain::throttling::Slot;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Owner, monotonic, unavailable};
use crate::slots::{RENEWAL, Slots, Standing, TIME_TO_LIVE};

/// Least time between two looks at the ledger.
const PAUSE: Duration = Duration::from_millis(50);

/// Longest wait until it is certain who owns a slot: an owner may have died just now.
const SETTLED_WITHIN: Duration = TIME_TO_LIVE.saturating_add(Duration::from_secs(1));

/// Longest time that units of slots which move are put back into the ledger; what is left then counts as spent.
const PUT_BACK_WITHIN: Duration = Duration::from_millis(500);

/// Blocks that are put back in one transaction.
const PUT_BACK_BATCH: usize = 256;

/// What this node knows of slots, and whose turn it is to change them.
pub(super) struct Ownership {
    slots: std::sync::Mutex<Slots>,
    /// Held while the ledger is asked.
    turn: tokio::sync::Mutex<Turn>,
}

#[derive(Default)]
struct Turn {
    /// When the ledger was asked last.
    last: Option<Instant>,
    /// The node stops: it wins nothing any more.
    has_left: bool,
}

impl Ownership {
    pub(super) fn new(node: String) -> Self {
        Self { slots: std::sync::Mutex::new(Slots::new(node)), turn: tokio::sync::Mutex::default() }
    }

    pub(super) fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The epoch under which the slot may be granted from now.
    pub(super) fn epoch(&self, slot: Slot) -> Option<u64> {
        match self.slots().standing(slot, monotonic()) {
            Standing::Held(epoch) => Some(epoch),
            Standing::Elsewhere(_) | Standing::Unsettled => None,
        }
    }
}

/// Renews until `shutdown`, then gives everything up.
pub(super) async fn run(owner: Arc<Owner>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(RENEWAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    while let Some(_tick) = shutdown.run_until_cancelled(ticks.tick()).await {
        let renewed = owner.renew(Duration::ZERO).await;
        match &renewed {
            Err(error) if !is_failing => {
                tracing::warn!(error = error as &dyn std::error::Error, "slots of throttle keys cannot be renewed");
            }
            Ok(()) if is_failing => tracing::info!("slots of throttle keys are renewed again"),
            _ => {}
        }
        is_failing = renewed.is_err();
    }
    owner.leave().await;
}

impl Owner {
    /// Waits until this node holds the slot.
    ///
    /// # Errors
    /// When another node does, or when nobody does in good time.
    pub(super) async fn until_held(self: &Arc<Self>, slot: Slot) -> Result<(), ThrottleUnavailable> {
        let until = monotonic() + SETTLED_WITHIN;
        loop {
            match self.ownership.slots().standing(slot, monotonic()) {
                Standing::Held(_) => return Ok(()),
                Standing::Elsewhere(owner) => return Err(ThrottleUnavailable::NotOwner { owner: Some(owner) }),
                Standing::Unsettled => {}
            }
            let owner = Arc::clone(self);
            // A task of its own: a caller that goes away must not stop a move of slots half way.
            let looked = self.runtime.spawn(async move { owner.renew(PAUSE).await });
            let looked = looked.await.map_err(|error| ThrottleUnavailable::Undecided(Some(Box::new(error))))?;
            looked.map_err(unavailable)?;
            if self.ownership.epoch(slot).is_some() {
                return Ok(());
            }
            if monotonic() >= until {
                return Err(ThrottleUnavailable::NotOwner { owner: None });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Makes this node the owner of the slot, whoever is now: for a gateway that can ask nobody else.
    pub(super) async fn seize(&self, slot: Slot) -> Result<(), LedgerError> {
        let turn = self.ownership.turn.lock().await;
        if turn.has_left {
            return Ok(());
        }
        let seen = self.ownership.slots().row(slot).cloned();
        let changed = self.ledger.assign(&self.node_id, seen.into_iter().collect()).await?;
        self.ownership.slots().assigned(changed);
        Ok(())
    }

    /// Renews this node's slots and makes the moves that follow; nothing when that was done less than `pause` ago.
    async fn renew(&self, pause: Duration) -> Result<(), LedgerError> {
        let mut turn = self.ownership.turn.lock().await;
        let sent = monotonic();
        if turn.has_left || turn.last.is_some_and(|last| sent.saturating_duration_since(last) < pause) {
            return Ok(());
        }
        turn.last = Some(sent);
        let picture = self.ledger.renew(&self.node_id).await?;
        let moves = {
            let mut slots = self.ownership.slots();
            let now = monotonic();
            slots.learn(sent, now, picture);
            slots.moves(now)
        };
        for (to, rows) in moves.hand_over {
            self.hand_over(&to, rows).await?;
        }
        if !moves.claim.is_empty() {
            let won = self.ledger.assign(&self.node_id, moves.claim).await?;
            tracing::info!(slots = won.len(), "slots of throttle keys won");
            self.ownership.slots().assigned(won);
        }
        if !moves.bury.is_empty() {
            self.ledger.bury(moves.bury).await?;
        }
        let held = self.ownership.slots().held();
        self.counters.slots.set(i64::try_from(held).unwrap_or(i64::MAX));
        Ok(())
    }

    async fn hand_over(&self, to: &str, rows: Vec<SlotRow>) -> Result<(), LedgerError> {
        tracing::info!(slots = rows.len(), node.id = to, "slots of throttle keys are handed over");
        self.ownership.slots().let_go(&rows);
        let moving: Vec<Slot> = rows.iter().map(|row| row.slot).collect();
        self.put_back(&moving).await;
        let changed = self.ledger.assign(to, rows).await?;
        self.ownership.slots().assigned(changed);
        Ok(())
    }

    /// Gives up all slots, so that others need not wait for this node's death.
    pub(super) async fn leave(&self) {
        let mut turn = self.ownership.turn.lock().await;
        turn.has_left = true;
        self.ownership.slots().clear();
        let all: Vec<Slot> = (0..Slot::COUNT).filter_map(Slot::numbered).collect();
        self.put_back(&all).await;
        if let Err(error) = self.ledger.leave(&self.node_id).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "slots of throttle keys could not be given up");
        }
    }

    /// Returns to the ledger what nobody holds of these slots' windows. What cannot be returned counts as spent.
    async fn put_back(&self, slots: &[Slot]) {
        let mut is_moving = [false; Slot::COUNT];
        for slot in slots {
            is_moving.get_mut(slot.number()).into_iter().for_each(|moves| *moves = true);
        }
        let returning = async {
            let moving = |key: &str| is_moving.get(Slot::of(key).number()).is_some_and(|moves| *moves);
            // Whoever reserves for a key does so to the end. Nobody begins any more: the slots are let go of.
            for turn in self.keys.turns(moving) {
                drop(turn.lock().await);
            }
            let mut blocks = Vec::new();
            self.keys.for_each(|place| {
                let is_moving = moving(place.key);
                let bucket = place.bucket.take_if(|_| is_moving);
                // Those that nobody holds.
                let free = bucket.filter(|bucket| bucket.free() > 0);
                blocks.extend(free.map(|bucket| bucket.reservation(place.key, 0, bucket.free())));
            });
            while !blocks.is_empty() {
                let rest = blocks.split_off(PUT_BACK_BATCH.min(blocks.len()));
                self.ledger.put_back(std::mem::replace(&mut blocks, rest)).await?;
            }
            Ok::<_, LedgerError>(())
        };
        match tokio::time::timeout(PUT_BACK_WITHIN, returning).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "units of slots that move count as spent");
            }
            Err(_elapsed) => tracing::warn!("units of slots that move count as spent: there are too many"),
        }
    }
}
