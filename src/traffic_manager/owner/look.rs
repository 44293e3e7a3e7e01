//! A look at a key, which changes nothing: not the key's units, not who owns it, and no place is made for it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::contract::LedgerError;
use domain::contract::throttle_inspector::{
    Count, InspectError, KeyQuestion, KeyState, ThrottleInspector, WindowState,
};
use domain::throttling::{Shape, Slot, Window};
use tokio::task::JoinSet;

use super::{Owner, TrafficManager, monotonic};
use crate::leases::{Bucket, needs_look};
use crate::slots::Standing;

/// Longest wait for a gateway to say what it holds.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks at a key that changes all the time, until one is taken as it is.
const LOOKS_MAX: u32 = 3;

/// A key at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sight {
    Unknown,
    NoneOpen,
    Open(Seen),
}

/// What the owner has of a key's window at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    shape: Shape,
    window: Window,
    ends_in: Duration,
    reserved: u64,
    free: u64,
    /// Whether nobody reserved for the key while the ledger was read.
    is_settled: bool,
}

#[async_trait]
impl ThrottleInspector for TrafficManager {
    async fn look(&self, question: &KeyQuestion) -> Result<KeyState, InspectError> {
        self.owner.inspect(question).await
    }
}

impl Owner {
    async fn inspect(&self, question: &KeyQuestion) -> Result<KeyState, InspectError> {
        let slot = Slot::of(&question.key);
        let epoch = match self.ownership.slots().standing(slot, monotonic()) {
            Standing::Held(epoch) => epoch,
            Standing::Elsewhere(owner) => return Err(InspectError::NotOwner(owner)),
            Standing::Unsettled => return Err(InspectError::Unsettled),
        };
        let count = self.count(question, epoch).await?;
        Ok(KeyState { key: question.key.clone(), slot, owner: self.node_id.clone(), epoch, count })
    }

    async fn count(&self, question: &KeyQuestion, epoch: u64) -> Result<Count, InspectError> {
        let mut sight = self.see(question, epoch).await?;
        for left in (0..LOOKS_MAX).rev() {
            let Sight::Open(seen) = &sight else { break };
            let (lent, all_told) = self.held(&question.key, &seen.window).await;
            let again = self.see(question, epoch).await?;
            if let Sight::Open(again) = &again {
                let is_same = again.is_settled
                    && (seen.window, seen.reserved, seen.free) == (again.window, again.reserved, again.free);
                if is_same || left == 0 {
                    return Ok(Count::Open(state(again, lent, is_same && all_told)));
                }
            }
            sight = again;
        }
        Ok(match sight {
            Sight::Unknown => Count::Unknown,
            Sight::NoneOpen => Count::NoneOpen,
            Sight::Open(seen) => Count::Open(state(&seen, 0, false)),
        })
    }

    async fn see(&self, question: &KeyQuestion, epoch: u64) -> Result<Sight, InspectError> {
        let key = question.key.as_str();
        let bucket = self.bucket(key);
        let Some(shape) = question.window.or_else(|| bucket.as_ref().map(Bucket::shape)) else {
            return Ok(Sight::Unknown);
        };
        let Some((window, ends_at)) = self.open_window(key, shape, epoch, bucket.as_ref()).await? else {
            return Ok(Sight::NoneOpen);
        };
        let before = bucket.filter(|own| own.is_of(window.start.as_millis(), shape, epoch));
        let window_id = window.start.as_millis();
        let reserved = self.ledger.reserved(&shape.name_of(key, &window), window_id).await.map_err(unable)?;
        let after = self.current_bucket(key, shape, epoch).filter(|own| own.window_id() == window_id);
        let units = |own: &Option<Bucket>| own.as_ref().map(|own| own.lent().saturating_add(own.free()));
        let is_settled = units(&before) == units(&after);
        let free = after.map_or(0, |own| own.free()).min(reserved);
        let ends_in = ends_at.saturating_duration_since(monotonic());
        Ok(Sight::Open(Seen { shape, window, ends_in, reserved, free, is_settled }))
    }

    /// The window in which a call would be counted now, and the instant at which it ends; `None` when a call would open one.
    async fn open_window(
        &self,
        key: &str,
        shape: Shape,
        epoch: u64,
        bucket: Option<&Bucket>,
    ) -> Result<Option<(Window, Instant)>, InspectError> {
        let now = monotonic();
        if let Some(own) = bucket.filter(|own| own.is_current(now, shape, epoch)) {
            return Ok(Some((own.window(), own.ends_at)));
        }
        if !shape.opens_with_a_call() {
            return Ok(Some(self.timeline().window(now, shape)));
        }
        if !needs_look(bucket, shape, epoch) {
            return Ok(None);
        }
        // Somebody may have opened one before this epoch, or this owner before it made room for other keys.
        let at = self.timeline().at(now);
        let name = shape.name_of(key, &shape.window(at));
        let open_since = self.ledger.open_since(&name, at).await.map_err(unable)?;
        if let Some(own) = self.current_bucket(key, shape, epoch) {
            return Ok(Some((own.window(), own.ends_at)));
        }
        Ok(open_since.map(|start| self.timeline().opened(start, now, shape)))
    }

    /// The bucket in which a call would be counted now.
    fn current_bucket(&self, key: &str, shape: Shape, epoch: u64) -> Option<Bucket> {
        self.bucket(key).filter(|own| own.is_current(monotonic(), shape, epoch))
    }

    fn bucket(&self, key: &str) -> Option<Bucket> {
        self.keys.find(key, |place| place.bucket.clone()).flatten()
    }

    /// Units that gateways hold unspent, and whether all have told.
    async fn held(&self, key: &str, window: &Window) -> (u64, bool) {
        let mut asked = JoinSet::new();
        for holder in self.holders.living() {
            let (key, window_id) = (key.to_owned(), window.start.as_millis());
            asked.spawn(async move { tokio::time::timeout(PATIENCE, holder.held(&key, window_id)).await });
        }
        let (mut units, mut all_told) = (0_u64, true);
        while let Some(told) = asked.join_next().await {
            match told {
                Ok(Ok(Some(held))) => units = units.saturating_add(held),
                _ => all_told = false,
            }
        }
        (units, all_told)
    }
}

fn state(seen: &Seen, lent: u64, is_exact: bool) -> WindowState {
    let Seen { shape, window, ends_in, reserved, free, .. } = *seen;
    let lent = lent.min(reserved - free);
    WindowState { shape, start: window.start, end: window.end, ends_in, reserved, free, lent, is_exact }
}

fn unable(error: LedgerError) -> InspectError {
    InspectError::Unable(Box::new(error))
}
