//! The owner over a ledger in memory.

mod look;
mod windows;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::contract::lease_ledger::{NodeRow, Picture, Reservation, Reserved, SlotRow};
use domain::throttling::{TimeUnit, WindowKind};
use domain::{Timestamp, Zone};

use super::*;

/// A ledger in memory that can be told to fail.
#[derive(Default)]
struct Memory {
    state: Mutex<State>,
    is_broken: AtomicBool,
}

#[derive(Default)]
struct State {
    ownership: Picture,
    reserved: HashMap<(String, i64), u64>,
    ends: HashMap<(String, i64), Timestamp>,
    /// How often somebody asked which window is open.
    looks: u64,
    calls: u64,
    forgotten_before: Option<Timestamp>,
}

impl Memory {
    fn new() -> Arc<Self> {
        let row = |number| SlotRow { slot: Slot::numbered(number).unwrap(), owner: String::new(), epoch: 0 };
        let memory = Self::default();
        memory.state.lock().unwrap().ownership.slots = (0..Slot::COUNT).map(row).collect();
        Arc::new(memory)
    }

    fn owner_of(&self, key: &str) -> String {
        self.state.lock().unwrap().ownership.slots[Slot::of(key).number()].owner.clone()
    }
}

#[async_trait]
impl LeaseLedger for Memory {
    async fn renew(&self, node: &str) -> Result<Picture, LedgerError> {
        if self.is_broken.load(Ordering::Acquire) {
            return Err(LedgerError("the disk is full".into()));
        }
        let ownership = &mut self.state.lock().unwrap().ownership;
        match ownership.nodes.iter_mut().find(|row| row.node == node) {
            Some(row) => row.renewals += 1,
            None => ownership.nodes.push(NodeRow { node: node.to_owned(), renewals: 1 }),
        }
        Ok(ownership.clone())
    }

    async fn assign(&self, owner: &str, seen: Vec<SlotRow>) -> Result<Vec<SlotRow>, LedgerError> {
        let slots = &mut self.state.lock().unwrap().ownership.slots;
        let mut changed = Vec::new();
        for row in seen {
            let own = &mut slots[row.slot.number()];
            if *own == row {
                *own = SlotRow { owner: owner.to_owned(), epoch: row.epoch + 1, slot: row.slot };
                changed.push(own.clone());
            }
        }
        Ok(changed)
    }

    async fn leave(&self, node: &str) -> Result<(), LedgerError> {
        let ownership = &mut self.state.lock().unwrap().ownership;
        ownership.nodes.retain(|row| row.node != node);
        ownership.slots.iter_mut().filter(|row| row.owner == node).for_each(|row| row.owner.clear());
        Ok(())
    }

    async fn bury(&self, seen: Vec<NodeRow>) -> Result<(), LedgerError> {
        self.state.lock().unwrap().ownership.nodes.retain(|row| !seen.contains(row));
        Ok(())
    }

    async fn put_back(&self, unspent: Vec<Reservation>) -> Result<(), LedgerError> {
        let mut state = self.state.lock().unwrap();
        for block in unspent {
            *state.reserved.get_mut(&(block.key, block.window_id)).unwrap() -= block.units;
        }
        Ok(())
    }

    async fn reserve(&self, wishes: Vec<Reservation>) -> Result<Vec<Reserved>, LedgerError> {
        // Others get their turn in between, as with a real database.
        tokio::task::yield_now().await;
        if self.is_broken.load(Ordering::Acquire) {
            return Err(LedgerError("the disk is full".into()));
        }
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let reserve = |wish: Reservation| {
            let current = state.ownership.slots[wish.slot.number()].epoch;
            if wish.epoch != current {
                return Reserved::Fenced { current };
            }
            let place = (wish.key, wish.window_id);
            state.ends.insert(place.clone(), wish.window_end);
            let reserved = state.reserved.entry(place).or_default();
            let units = wish.units.min(wish.limit.saturating_sub(*reserved));
            *reserved += units;
            Reserved::Units(units)
        };
        Ok(wishes.into_iter().map(reserve).collect())
    }

    async fn open_since(&self, key: &str, at: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        tokio::task::yield_now().await;
        if self.is_broken.load(Ordering::Acquire) {
            return Err(LedgerError("the disk is full".into()));
        }
        let mut state = self.state.lock().unwrap();
        state.looks += 1;
        let open = state.ends.iter().filter(|((own, _), end)| own == key && **end > at);
        Ok(open.map(|((_, start), _)| Timestamp::from_millis(*start)).max())
    }

    async fn reserved(&self, key: &str, window_id: i64) -> Result<u64, LedgerError> {
        if self.is_broken.load(Ordering::Acquire) {
            return Err(LedgerError("the disk is full".into()));
        }
        Ok(self.state.lock().unwrap().reserved.get(&(key.to_owned(), window_id)).copied().unwrap_or(0))
    }

    async fn forget_ended(&self, before: Timestamp) -> Result<u64, LedgerError> {
        self.state.lock().unwrap().forgotten_before = Some(before);
        Ok(0)
    }
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_700_000_040)
    }
}

/// A clock that can be set.
#[derive(Default)]
struct SetClock(AtomicU64);

impl SetClock {
    fn set(&self, secs: u64) {
        self.0.store(secs, Ordering::Release);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.load(Ordering::Acquire)).unwrap() * 1_000)
    }
}

fn manager(ledger: &Arc<Memory>, config: Throttling) -> TrafficManager {
    manager_at(ledger, config, Arc::new(FixedClock))
}

fn manager_at(ledger: &Arc<Memory>, config: Throttling, clock: Arc<dyn Clock>) -> TrafficManager {
    manager_named("node", ledger, config, clock)
}

fn manager_named(node: &str, ledger: &Arc<Memory>, config: Throttling, clock: Arc<dyn Clock>) -> TrafficManager {
    TrafficManager::create(Dependencies {
        ledger: Arc::clone(ledger) as Arc<dyn LeaseLedger>,
        config,
        clock,
        metrics: Metrics::new(),
        runtime: Handle::current(),
        node_id: node.to_owned(),
    })
}

fn wish(key: &str, limit: u64, units: u64) -> LeaseRequest {
    LeaseRequest {
        key: key.to_owned(),
        limit,
        unit_time: 1,
        time_unit: TimeUnit::Min,
        window: WindowKind::Aligned,
        zone: Zone::UTC,
        units,
    }
}

/// Units granted until the owner refuses.
async fn drain(manager: &TrafficManager, request: &LeaseRequest) -> u64 {
    let mut total = 0;
    loop {
        match manager.lease(request.clone()).await.unwrap() {
            LeaseReply::Granted(lease) => total += lease.units,
            LeaseReply::Exhausted { .. } => return total,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_two_callers_get_exactly_the_limit() {
    for limit in [1, 100, 1_000, 12_345] {
        let ledger = Memory::new();
        let manager = manager(&ledger, Throttling::default());
        let callers: Vec<_> = (0..32)
            .map(|n| {
                let manager = manager.clone();
                tokio::spawn(async move { drain(&manager, &wish("k", limit, 1 + n % 3)).await })
            })
            .collect();
        let mut total = 0;
        for caller in callers {
            total += caller.await.unwrap();
        }
        assert_eq!(total, limit);
        let calls = ledger.state.lock().unwrap().calls;
        assert!(calls <= 22, "{calls} writes for a limit of {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_window_starts_full_when_the_monotonic_clock_says_so() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    // 1,700,000,040 s is a full minute.
    assert_eq!(drain(&manager, &wish("k", 5, 1)).await, 5);
    tokio::time::advance(Duration::from_secs(59)).await;
    let reply = manager.lease(wish("k", 5, 1)).await.unwrap();
    assert_eq!(reply, LeaseReply::Exhausted { window_id: 1_700_000_040_000, retry_in: Duration::from_secs(1) });
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(drain(&manager, &wish("k", 5, 1)).await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_restart_within_a_window_grants_no_more() {
    let ledger = Memory::new();
    let before = manager(&ledger, Throttling::default());
    let request = wish("k", 100_000, 7);
    let LeaseReply::Granted(lease) = before.lease(request.clone()).await.unwrap() else { panic!("refused") };
    let after = manager(&ledger, Throttling::default());
    let granted = drain(&after, &request).await;
    assert_eq!(granted, 95_000, "the crashed owner's block counts as spent");
    // The old owner still may hand out what it had reserved, and nothing beyond.
    let mut old = lease.units;
    while let Ok(LeaseReply::Granted(lease)) = before.lease(request.clone()).await {
        old += lease.units;
    }
    assert!(old + granted <= 100_000, "{old} + {granted}");
}

#[tokio::test]
async fn units_come_back_for_the_same_window_and_epoch_only() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    let LeaseReply::Granted(lease) = manager.lease(wish("k", 10, 1)).await.unwrap() else { panic!("refused") };
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 9);
    manager.give_back("k", lease.window_id - 60_000, lease.epoch, 1).await.unwrap();
    manager.give_back("k", lease.window_id, lease.epoch + 1, 1).await.unwrap();
    manager.give_back("other", lease.window_id, lease.epoch, 1).await.unwrap();
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 0);
    manager.give_back("k", lease.window_id, lease.epoch, 1).await.unwrap();
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 1);
}

#[tokio::test]
async fn a_fenced_owner_of_one_slot_keeps_the_others_and_wins_the_slot_back_from_the_dead() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling { block_units_whole: 0, blocks_per_window: 2, ..Throttling::default() });
    let LeaseReply::Granted(first) = manager.lease(wish("k", 10, 1)).await.unwrap() else { panic!("refused") };
    let seen = ledger.state.lock().unwrap().ownership.slots[Slot::of("k").number()].clone();
    ledger.assign("who never renews", vec![seen]).await.unwrap();
    assert_eq!(drain(&manager, &wish("other", 4, 1)).await, 4);
    while let Ok(LeaseReply::Granted(lease)) = manager.lease(wish("k", 10, 1)).await
        && lease.epoch == first.epoch
    {}
    let LeaseReply::Granted(second) = manager.lease(wish("k", 10, 1)).await.unwrap() else { panic!("refused") };
    assert_eq!(second.epoch, first.epoch + 2);
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 3, "what the lost epoch had reserved counts as spent");
}

/// Two managers that share the slots, after enough renewals; keys of the first and of the second.
async fn pair(ledger: &Arc<Memory>) -> ([TrafficManager; 2], [String; 2], CancellationToken) {
    let named = |name| manager_named(name, ledger, Throttling::default(), Arc::new(FixedClock));
    let (managers, shutdown) = ([named("a"), named("b")], CancellationToken::new());
    managers.iter().for_each(|manager| drop(manager.clone().start(shutdown.clone())));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let key_of = |name: &str| (0..).map(|n| format!("k{n}")).find(|key| ledger.owner_of(key) == name).unwrap();
    (managers, [key_of("a"), key_of("b")], shutdown)
}

#[tokio::test(start_paused = true)]
async fn who_is_not_the_owner_says_who_is() {
    let ledger = Memory::new();
    let ([a, b], [of_a, of_b], _shutdown) = pair(&ledger).await;
    assert_eq!(drain(&a, &wish(&of_a, 5, 1)).await, 5);
    assert_eq!(drain(&b, &wish(&of_b, 5, 1)).await, 5);
    let refusal = a.lease(wish(&of_b, 5, 1)).await.unwrap_err();
    assert!(matches!(refusal, ThrottleUnavailable::NotOwner { owner: Some(name) } if name == "b"));
    assert_eq!([a.owner.counters.slots.get(), b.owner.counters.slots.get()], [128, 128]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_managers_keys_are_granted_by_the_other_within_three_seconds() {
    let ledger = Memory::new();
    let named = |name| manager_named(name, &ledger, Throttling::default(), Arc::new(FixedClock));
    let (a, b, dies, lives) = (named("a"), named("b"), CancellationToken::new(), CancellationToken::new());
    let tasks = a.clone().start(dies.clone());
    let _living = b.clone().start(lives.clone());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let key = (0..).map(|n| format!("k{n}")).find(|key| ledger.owner_of(key) == "a").unwrap();
    let LeaseReply::Granted(lease) = a.lease(wish(&key, 5_000, 1)).await.unwrap() else { panic!("refused") };
    // As by kill -9: nothing is given up.
    tasks.iter().for_each(JoinHandle::abort);
    let died = tokio::time::Instant::now();
    let after = loop {
        match b.lease(wish(&key, 5_000, 1)).await {
            Ok(LeaseReply::Granted(lease)) => break lease,
            other => assert!(died.elapsed() < Duration::from_secs(3), "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(after.epoch > lease.epoch);
    drop(lives);
}

#[tokio::test(start_paused = true)]
async fn slots_that_are_given_up_move_at_once_and_with_all_that_is_left() {
    let ledger = Memory::new();
    let named = |name| manager_named(name, &ledger, Throttling::default(), Arc::new(FixedClock));
    let (a, b) = (named("a"), named("b"));
    let LeaseReply::Granted(lease) = a.lease(wish("k", 100, 1)).await.unwrap() else { panic!("refused") };
    a.owner.leave().await;
    assert!(a.lease(wish("k", 100, 1)).await.is_err());
    assert_eq!(drain(&b, &wish("k", 100, 1)).await, 100 - lease.units);
    let c = named("c");
    let handed = c.lease(wish("k", 100, 1)).await;
    assert!(handed.is_err() || matches!(handed, Ok(LeaseReply::Exhausted { .. })), "{handed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_ledger_grants_nothing_and_is_left_alone_for_a_while() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    assert_eq!(drain(&manager, &wish("other", 1, 1)).await, 1);
    ledger.is_broken.store(true, Ordering::Release);
    assert!(manager.lease(wish("k", 10, 1)).await.is_err());
    ledger.is_broken.store(false, Ordering::Release);
    assert!(manager.lease(wish("k", 10, 1)).await.is_err(), "backing off");
    tokio::time::advance(Duration::from_millis(250)).await;
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 10);
}

#[tokio::test]
async fn a_caller_that_goes_away_loses_no_units() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    {
        let request = wish("k", 10, 1);
        let lease = manager.lease(request);
        tokio::pin!(lease);
        // One poll starts the reservation, then the caller hangs up.
        tokio::select! {
            biased;
            _ = &mut lease => panic!("the reservation cannot be done yet"),
            () = std::future::ready(()) => {}
        }
    }
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 10);
}

#[tokio::test]
async fn more_keys_than_allowed_refuse_early_and_never_admit_more() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling { keys_max: 64, ..Throttling::default() });
    let mut granted: HashMap<String, u64> = HashMap::new();
    for round in 0..2_000 {
        let key = format!("k{}", round % 500);
        if let LeaseReply::Granted(lease) = manager.lease(wish(&key, 3, 1)).await.unwrap() {
            *granted.entry(key).or_default() += lease.units;
        }
    }
    assert!(granted.values().all(|units| *units <= 3));
    assert!(manager.owner.keys.sweep(monotonic()) <= 64);
    assert!(manager.owner.counters.evictions.get() > 0);
}

#[tokio::test(start_paused = true)]
async fn the_sweep_forgets_what_is_over_and_stops_with_the_node() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    drain(&manager, &wish("k", 5, 1)).await;
    let owner = Arc::clone(&manager.owner);
    let shutdown = CancellationToken::new();
    let tasks = manager.start(shutdown.clone());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(owner.counters.keys.get(), 1);
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!(owner.counters.keys.get(), 0);
    assert!(ledger.state.lock().unwrap().forgotten_before.is_some());
    shutdown.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_five_minutes_forward_and_back_spends_no_lease_twice() {
    const NOW: u64 = 1_700_000_040;
    let (ledger, clock) = (Memory::new(), Arc::new(SetClock::default()));
    clock.set(NOW);
    let manager = manager_at(&ledger, Throttling::default(), clock.clone());
    let request = wish("k", 5, 1);
    assert_eq!(drain(&manager, &request).await, 5);
    // Windows follow a clock that is set forward: another one begins.
    clock.set(NOW + 300);
    sweep::sweep(&manager.owner).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(drain(&manager, &request).await, 5);
    // They never begin again when it is set back, also after a restart.
    clock.set(NOW);
    sweep::sweep(&manager.owner).await;
    assert_eq!(drain(&manager, &request).await, 0);
    assert_eq!(drain(&manager_at(&ledger, Throttling::default(), clock.clone()), &request).await, 0);
    let reserved = ledger.state.lock().unwrap().reserved.clone();
    assert!(reserved.values().all(|units| *units <= 5), "{reserved:?}");
}
