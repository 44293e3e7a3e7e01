//! Local stock of rights to let calls pass, so that a call is counted exactly without asking the traffic manager.
//!
//! Each throttle key has a cell with the units of its current lease. Workers take units from it with one atomic
//! operation; whoever finds it empty asks the owner for more while others wait for the same answer. A unit that is
//! dropped without being spent goes back: into its lease while that lives, else to the owner. While no owner decides,
//! [`OnTmLoss`] says what passes.

mod cell;
mod charge;
mod grant;
mod share;
mod tallies;

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::contract::throttle::Holder;
use domain::contract::{Throttle, ThrottleUnavailable};
use domain::runtime::GatewayApi;
use domain::throttling::{KeyName, OnTmLoss};
use domain::{ApiId, ApplicationId, Clock, PolicyId};
use prometheus_client::metrics::counter::Counter;

use crate::concurrent_map::ConcurrentMap;
use crate::fleet::Fleet;
use crate::table::RequestQuota;
use cell::Cell;
pub use charge::Charge;
pub use grant::Unit;
use tallies::Tallies;

/// How long a key may be unused before its units go back to the owner and its cell is forgotten.
const IDLE_MS: u64 = 1_000;

/// How long a key must be unused to give its units back when they are wanted elsewhere.
const RECALLED_AFTER_MS: u64 = 200;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ThrottleKey {
    /// Calls of one application to one API under one tier.
    Subscription { application: ApplicationId, api: ApiId, tier: Arc<str> },
    /// Calls of one application to one API that needs no subscription.
    Subscriptionless { application: ApplicationId, api: ApiId },
    /// Calls of one user through one application. The generation grows when they are counted from nothing again.
    Application { application: ApplicationId, user: Arc<str>, generation: u64 },
    /// Calls without a token from one address to one API.
    Anonymous { address: IpAddr, api: ApiId },
    /// All calls of an API, or those of one group of its policy's conditions.
    Api { api: ApiId, group: Option<u16> },
    /// The same of one operation, which is named `<template>:<VERB>`.
    Operation { api: ApiId, operation: Arc<str>, group: Option<u16> },
    /// Calls that look alike under a custom rule's template.
    Custom { rule: PolicyId, key: Arc<str> },
}

impl ThrottleKey {
    /// The key as the owner knows it.
    fn on_the_wire(&self, api: &GatewayApi) -> String {
        let (context, version) = (api.context.as_str(), api.version.as_str());
        let name = match self {
            Self::Subscription { application, tier, .. } => {
                KeyName::Subscription { application: *application, context, version, tier }
            }
            Self::Subscriptionless { application, .. } => KeyName::subscriptionless(*application, context, version),
            Self::Application { application, user, generation } => {
                KeyName::Application { application: *application, user, generation: *generation }
            }
            Self::Anonymous { address, .. } => KeyName::Anonymous { address: *address, context, version },
            Self::Api { group, .. } => KeyName::Api { context, version, group: *group },
            Self::Operation { operation, group, .. } => KeyName::Operation { context, operation, group: *group },
            Self::Custom { rule, key } => KeyName::Custom { rule: *rule, key },
        };
        name.to_string()
    }
}

/// Whether a call may pass.
#[derive(Debug)]
pub enum Verdict {
    Taken(Unit),
    /// The quota is used up; the next window starts in `retry_in`.
    Exhausted {
        retry_in: Duration,
    },
}

/// What to do while no traffic manager decides.
pub struct Loss {
    /// For quotas that say nothing themselves.
    pub on_tm_loss: OnTmLoss,
    /// Among whom quotas are shared then.
    pub fleet: Fleet,
    /// Says in which window calls are then.
    pub clock: Arc<dyn Clock>,
    /// Calls that were admitted so.
    pub admitted: Counter,
}

/// All leases of this gateway.
pub struct LeaseBook {
    throttle: Arc<dyn Throttle>,
    loss: Loss,
    cells: ConcurrentMap<ThrottleKey, Arc<Cell>>,
    /// The same by the owner's name of the key.
    named: ConcurrentMap<Arc<str>, Weak<Cell>>,
    cells_max: usize,
    /// What is known of keys without a cell.
    tallies: Tallies,
    started: Instant,
    refills: Counter,
}

impl LeaseBook {
    #[must_use]
    pub fn new(throttle: Arc<dyn Throttle>, cells_max: usize, refills: Counter, loss: Loss) -> Arc<Self> {
        let (cells, named, started) = (ConcurrentMap::default(), ConcurrentMap::default(), Instant::now());
        let tallies = Tallies::new(cells_max);
        let book = Arc::new(Self { throttle, loss, cells, named, cells_max, tallies, started, refills });
        let holder: Arc<dyn Holder> = book.clone();
        book.throttle.introduce(Arc::downgrade(&holder));
        book
    }

    /// Takes a unit of the key's current window. `clock` is the time: one look at it does for all levels of a call, until one
    /// has to wait, which looks anew.
    ///
    /// # Errors
    /// When the local stock is empty and a traffic manager does not decide in time; with [`OnTmLoss::Deny`] also when none can.
    pub async fn take(
        &self,
        key: &ThrottleKey,
        api: &GatewayApi,
        quota: RequestQuota,
        clock: &mut Instant,
    ) -> Result<Verdict, ThrottleUnavailable> {
        let cell = self.cell(key, api);
        cell.touch(self.tick(*clock));
        if let Some(verdict) = cell.decide(quota, *clock) {
            return Ok(verdict);
        }
        let decided = cell.refill_and_decide(quota, &self.refills).await;
        *clock = Instant::now();
        match decided {
            // One without its database, e.g. while that restarts, is as good as none. What may still be decided is not.
            Err(lost @ (ThrottleUnavailable::Lost(_) | ThrottleUnavailable::Unable(_))) => {
                self.decide_alone(&cell, quota, lost)
            }
            decided => decided,
        }
    }

    fn decide_alone(
        &self,
        cell: &Arc<Cell>,
        quota: RequestQuota,
        lost: ThrottleUnavailable,
    ) -> Result<Verdict, ThrottleUnavailable> {
        let Loss { on_tm_loss, fleet, clock, admitted } = &self.loss;
        // A cell that nobody else holds is forgotten with the call: it cannot know what was admitted before.
        let is_remembered = Arc::strong_count(cell) > 1;
        match quota.on_tm_loss.unwrap_or(*on_tm_loss) {
            OnTmLoss::Allow => Ok(Verdict::Taken(Unit::uncounted(admitted.clone()))),
            OnTmLoss::LocalShare if is_remembered => Ok(cell.decide_alone(quota, clock.now(), fleet.live(), admitted)),
            OnTmLoss::LocalShare | OnTmLoss::Deny => Err(lost),
        }
    }

    /// What the call that took a unit of the key has still to pay, once its size is known.
    #[must_use]
    pub fn charge(&self, key: &ThrottleKey, api: &GatewayApi, quota: RequestQuota) -> Charge {
        Charge { throttle: Arc::clone(&self.throttle), key: Arc::clone(&self.cell(key, api).key), quota }
    }

    /// Gives back units of keys that are idle and forgets all of such keys but a few bytes. To be called about once a second.
    pub async fn sweep(&self) {
        let now = self.tick(Instant::now());
        let is_idle = |cell: &&Arc<Cell>| cell.has_grant() && cell.idle_ms(now) >= IDLE_MS;
        let idle: Vec<Arc<Cell>> = self.cells.pin().values().filter(is_idle).cloned().collect();
        for cell in idle {
            cell.give_back_stock().await;
        }
        let wall = self.loss.clock.now();
        self.cells.pin().retain(|_, cell| {
            let is_wanted = cell.has_grant() || cell.idle_ms(now) < IDLE_MS || cell.remembers_share(wall);
            if !is_wanted {
                self.tallies.keep(&cell.key, cell.tally());
                // Of its successor, if there is one already, nothing is forgotten.
                let is_its = |_: &Arc<str>, named: &Weak<Cell>| named.as_ptr() == Arc::as_ptr(cell);
                let _ = self.named.pin().remove_if(&cell.key, is_its);
            }
            is_wanted
        });
        self.tallies.sweep(Instant::now());
    }

    /// Gives back all units, e.g. before the gateway stops.
    pub async fn give_back_all(&self) {
        let cells: Vec<Arc<Cell>> = self.cells.pin().values().cloned().collect();
        for cell in cells {
            cell.give_back_stock().await;
        }
    }

    /// The key's cell. Beyond the limit of remembered keys it lives for one call only: still exact, just slower.
    fn cell(&self, key: &ThrottleKey, api: &GatewayApi) -> Arc<Cell> {
        let cells = self.cells.pin();
        if let Some(cell) = cells.get(key) {
            return Arc::clone(cell);
        }
        let name = key.on_the_wire(api);
        let tally = self.tallies.find(&name);
        let cell = Arc::new(Cell::new(name, tally, Arc::clone(&self.throttle), self.tick(Instant::now())));
        if cells.len() >= self.cells_max {
            return cell;
        }
        let cell = Arc::clone(cells.get_or_insert_with(key.clone(), || cell));
        self.named.pin().insert(Arc::clone(&cell.key), Arc::downgrade(&cell));
        cell
    }

    /// Milliseconds since the book was opened, for idle times.
    fn tick(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

#[async_trait]
impl Holder for LeaseBook {
    async fn held(&self, key: &str, window_id: i64) -> Option<u64> {
        let cell = self.named.pin().get(key).and_then(Weak::upgrade);
        Some(cell.map_or(0, |cell| cell.held(window_id)))
    }

    fn recall(&self, key: &str) {
        let Some(cell) = self.named.pin().get(key).and_then(Weak::upgrade) else { return };
        if !cell.has_grant() || cell.idle_ms(self.tick(Instant::now())) < RECALLED_AFTER_MS {
            return;
        }
        // Outside a runtime nobody could be told.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { cell.give_back_stock().await });
        }
    }
}

impl Cell {
    fn touch(&self, tick: u64) {
        // Coarse, so that a hot key is not written by every call.
        const COARSE_MS: u64 = 128;
        if tick.saturating_sub(self.last_used.load(Ordering::Relaxed)) >= COARSE_MS {
            self.last_used.store(tick, Ordering::Relaxed);
        }
    }

    fn idle_ms(&self, tick: u64) -> u64 {
        tick.saturating_sub(self.last_used.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests;
