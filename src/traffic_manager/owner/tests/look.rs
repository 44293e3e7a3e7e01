//! Looks at keys: what they tell, and that they change nothing.

use async_trait::async_trait;
use domain::contract::InspectError;
use domain::contract::ThrottleInspector;
use domain::contract::throttle_inspector::{Count, KeyQuestion, WindowState};

use super::*;

fn question(key: &str) -> KeyQuestion {
    KeyQuestion { key: key.to_owned(), window: Some(Shape::aligned(1, TimeUnit::Min)) }
}

fn of_first_request(key: &str) -> KeyQuestion {
    KeyQuestion { key: key.to_owned(), window: Some(Shape::of_first_request(1, TimeUnit::Min)) }
}

async fn window(manager: &TrafficManager, key: &str) -> WindowState {
    open(manager, &question(key)).await
}

/// The window that is open.
async fn open(manager: &TrafficManager, question: &KeyQuestion) -> WindowState {
    let count = manager.look(question).await.unwrap().count;
    let Count::Open(window) = count else { panic!("{count:?}") };
    window
}

fn told(window: &WindowState) -> [u64; 4] {
    [window.reserved, window.free, window.lent, window.used()]
}

/// A gateway that says that it holds so many units, or nothing.
struct Gateway(Option<u64>);

#[async_trait]
impl Holder for Gateway {
    fn recall(&self, _key: &str) {}

    async fn held(&self, _key: &str, _window_id: i64) -> Option<u64> {
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_told_before_while_and_after_it_is_counted() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling { block_units_whole: 0, blocks_per_window: 2, ..Throttling::default() });
    assert!(matches!(manager.look(&question("k")).await, Err(InspectError::Unsettled)), "nobody owns anything yet");
    manager.lease(wish("other", 1, 1)).await.unwrap();
    assert_eq!(told(&window(&manager, "k").await), [0; 4]);
    assert!(manager.owner.keys.find("k", |_| ()).is_none(), "a look makes no place");
    for _ in 0..3 {
        manager.lease(wish("k", 20, 1)).await.unwrap();
    }
    let seen = window(&manager, "k").await;
    assert_eq!((told(&seen), seen.remaining(20)), ([10, 7, 0, 3], 17));
    assert_eq!((seen.start.as_millis(), seen.end.as_millis()), (1_700_000_040_000, 1_700_000_100_000));
    assert!(seen.ends_in <= Duration::from_secs(60) && seen.ends_in > Duration::from_secs(59), "{:?}", seen.ends_in);
    let state = manager.look(&KeyQuestion { window: None, ..question("k") }).await.unwrap();
    assert_eq!((state.slot, state.owner.as_str()), (Slot::of("k"), "node"));
    assert_eq!(told(state.count.window().unwrap()), [10, 7, 0, 3], "the owner knows its windows");
    tokio::time::advance(Duration::from_secs(60)).await;
    // Which renews.
    manager.lease(wish("other", 1, 1)).await.unwrap();
    assert_eq!(told(&window(&manager, "k").await), [0; 4]);
}

#[tokio::test]
async fn units_that_gateways_hold_are_lent_and_not_used() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    let holders: Vec<Arc<dyn Holder>> = vec![Arc::new(Gateway(Some(2))), Arc::new(Gateway(Some(1)))];
    holders.iter().for_each(|holder| manager.introduce(Arc::downgrade(holder)));
    assert_eq!(drain(&manager, &wish("k", 10, 1)).await, 10);
    let seen = window(&manager, "k").await;
    assert_eq!((told(&seen), seen.is_exact), ([10, 0, 3, 7], true));
    let silent: Arc<dyn Holder> = Arc::new(Gateway(None));
    manager.introduce(Arc::downgrade(&silent));
    assert!(!window(&manager, "k").await.is_exact);
}

#[tokio::test]
async fn what_an_owner_that_crashed_had_reserved_counts_as_used() {
    let ledger = Memory::new();
    assert_eq!(drain(&manager(&ledger, Throttling::default()), &wish("k", 5, 1)).await, 5);
    let after = manager(&ledger, Throttling::default());
    after.lease(wish("other", 1, 1)).await.unwrap();
    let seen = window(&after, "k").await;
    assert_eq!((told(&seen), seen.remaining(10)), ([5, 0, 0, 5], 5));
    ledger.is_broken.store(true, Ordering::Release);
    assert!(matches!(after.look(&question("k")).await, Err(InspectError::Unable(_))));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_opens_with_a_call_is_told_once_one_has_opened_it() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    manager.lease(wish("other", 1, 1)).await.unwrap();
    let (question, request) =
        (of_first_request("k"), LeaseRequest { window: WindowKind::FirstRequest, ..wish("k", 20, 1) });
    assert_eq!(manager.look(&question).await.unwrap().count, Count::NoneOpen);
    assert!(manager.owner.keys.find("k", |_| ()).is_none(), "a look opens nothing");
    tokio::time::advance(Duration::from_secs(25)).await;
    manager.lease(request.clone()).await.unwrap();
    let seen = open(&manager, &question).await;
    assert_eq!((told(&seen), seen.remaining(20)), ([20, 19, 0, 1], 19));
    assert_eq!((seen.start.as_millis(), seen.end.as_millis()), (1_700_000_065_000, 1_700_000_125_000));
    let unasked = KeyQuestion { window: None, ..question.clone() };
    assert_eq!(open(&manager, &unasked).await.shape, Shape::of_first_request(1, TimeUnit::Min));
    tokio::time::advance(Duration::from_secs(60)).await;
    // Which renews.
    manager.lease(wish("other", 1, 1)).await.unwrap();
    for question in [question, unasked] {
        assert_eq!(manager.look(&question).await.unwrap().count, Count::NoneOpen);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_only_the_ledger_knows_is_told_with_all_that_another_owner_reserved() {
    let ledger = Memory::new();
    let request = LeaseRequest { window: WindowKind::FirstRequest, ..wish("k", 5, 1) };
    assert_eq!(drain(&manager(&ledger, Throttling::default()), &request).await, 5);
    tokio::time::advance(Duration::from_secs(20)).await;
    let clock = Arc::new(SetClock::default());
    clock.set(1_700_000_060);
    let after = manager_at(&ledger, Throttling::default(), clock);
    after.lease(wish("other", 1, 1)).await.unwrap();
    let seen = open(&after, &of_first_request("k")).await;
    assert_eq!((told(&seen), seen.remaining(10)), ([5, 0, 0, 5], 5));
    assert_eq!((seen.start.as_millis(), seen.end.as_millis()), (1_700_000_040_000, 1_700_000_100_000));
    assert!(seen.ends_in <= Duration::from_secs(40) && seen.ends_in > Duration::from_secs(39), "{:?}", seen.ends_in);
    assert!(after.owner.keys.find("k", |_| ()).is_none(), "a look makes no place");
    // The window that is told is the one that the next call is counted in.
    let reply = after.lease(request).await.unwrap();
    assert!(matches!(reply, LeaseReply::Exhausted { window_id: 1_700_000_040_000, .. }), "{reply:?}");
    ledger.is_broken.store(true, Ordering::Release);
    assert!(matches!(after.look(&of_first_request("other key")).await, Err(InspectError::Unable(_))));
}

#[tokio::test(start_paused = true)]
async fn a_day_is_told_by_the_calendar_of_the_tenants_zone() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let request = LeaseRequest { time_unit: TimeUnit::Day, zone: berlin, ..wish("k", 5, 1) };
    assert_eq!(drain(&manager, &request).await, 5);
    let day = |zone| KeyQuestion { key: "k".to_owned(), window: Some(Shape::aligned(1, TimeUnit::Day).in_zone(zone)) };
    let seen = open(&manager, &day(berlin)).await;
    assert_eq!((seen.end.to_string().as_str(), seen.used()), ("2023-11-14T23:00:00.000Z", 5));
    let of_utc = open(&manager, &day(Zone::UTC)).await;
    assert_eq!((of_utc.end.to_string().as_str(), of_utc.used()), ("2023-11-15T00:00:00.000Z", 0));
}
