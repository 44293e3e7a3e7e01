//! Windows that open with a call, also across owners, and those of a tenant's calendar.

use super::*;

fn first(key: &str, limit: u64) -> LeaseRequest {
    LeaseRequest { window: WindowKind::FirstRequest, ..wish(key, limit, 1) }
}

async fn granted(manager: &TrafficManager, request: &LeaseRequest) -> Lease {
    let reply = manager.lease(request.clone()).await.unwrap();
    let LeaseReply::Granted(lease) = reply else { panic!("{reply:?}") };
    lease
}

/// The window that is used up, and the seconds until the next one; virtual time goes on a little with every write.
async fn refused(manager: &TrafficManager, request: &LeaseRequest) -> (i64, u128) {
    let reply = manager.lease(request.clone()).await.unwrap();
    let LeaseReply::Exhausted { window_id, retry_in } = reply else { panic!("{reply:?}") };
    (window_id, retry_in.as_millis().div_ceil(1_000))
}

#[tokio::test(start_paused = true)]
async fn a_window_opens_with_the_first_call_after_the_one_before() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    let (request, start) = (first("k", 5), 1_700_000_040_000);
    tokio::time::advance(Duration::from_secs(25)).await;
    let lease = granted(&manager, &request).await;
    assert_eq!((lease.window_id, lease.end_in), (start + 25_000, Duration::from_secs(60)));
    assert_eq!(drain(&manager, &request).await, 4);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(refused(&manager, &request).await, (start + 25_000, 1));
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(granted(&manager, &request).await.window_id, start + 115_000);
    assert_eq!(drain(&manager, &request).await, 4);
    // Who owned the key all the time need not ask what others did.
    assert_eq!(ledger.state.lock().unwrap().looks, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_at_once_open_one_window_and_get_exactly_the_limit() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move { drain(&manager, &first("k", 1_234)).await })
        })
        .collect();
    let mut total = 0;
    for caller in callers {
        total += caller.await.unwrap();
    }
    assert_eq!(total, 1_234);
    let state = ledger.state.lock().unwrap();
    assert_eq!((state.looks, state.ends.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_the_open_window_goes_on() {
    let ledger = Memory::new();
    let request = first("k", 100_000);
    let lease = granted(&manager(&ledger, Throttling::default()), &request).await;
    tokio::time::advance(Duration::from_secs(20)).await;
    // The clock of the next owner is twenty seconds behind: to it the window lasts a minute.
    let after = manager(&ledger, Throttling::default());
    assert_eq!(drain(&after, &request).await, 95_000, "the crashed owner's block counts as spent");
    assert_eq!(refused(&after, &request).await, (lease.window_id, 60));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(drain(&after, &request).await, 100_000);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_handed_over_goes_on_with_all_that_is_left() {
    let ledger = Memory::new();
    let named = |name| manager_named(name, &ledger, Throttling::default(), Arc::new(FixedClock));
    let (a, b) = (named("a"), named("b"));
    let request = first("k", 100);
    let lease = granted(&a, &request).await;
    a.owner.leave().await;
    let second = granted(&b, &request).await;
    assert_eq!(second.window_id, lease.window_id);
    assert_eq!(second.units + drain(&b, &request).await, 100 - lease.units);
}

#[tokio::test(start_paused = true)]
async fn the_kind_of_windows_may_change_to_and_fro() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    assert_eq!(drain(&manager, &first("k", 5)).await, 5);
    assert_eq!(drain(&manager, &wish("k", 5, 1)).await, 5);
    assert_eq!(drain(&manager, &first("k", 5)).await, 0, "that window is still open");
    assert_eq!(drain(&manager, &first("k", 7)).await, 2);
}

#[tokio::test(start_paused = true)]
async fn no_window_is_opened_while_the_ledger_cannot_say_which_is_open() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    assert_eq!(drain(&manager, &wish("other", 1, 1)).await, 1);
    ledger.is_broken.store(true, Ordering::Release);
    let refusal = manager.lease(first("k", 10)).await.unwrap_err();
    assert!(matches!(refusal, ThrottleUnavailable::Unable(_)), "{refusal:?}");
    ledger.is_broken.store(false, Ordering::Release);
    assert!(manager.lease(first("k", 10)).await.is_err(), "backing off");
    tokio::time::advance(Duration::from_millis(250)).await;
    assert_eq!(drain(&manager, &first("k", 10)).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_day_ends_at_the_tenants_midnight_and_is_granted_once_however_often_the_zone_changes() {
    let ledger = Memory::new();
    let manager = manager(&ledger, Throttling::default());
    let day =
        |zone: &str| LeaseRequest { time_unit: TimeUnit::Day, zone: Zone::parse(zone).unwrap(), ..wish("k", 5, 1) };
    // It is 22:14 in UTC and 23:14 in Berlin.
    assert_eq!(drain(&manager, &day("Europe/Berlin")).await, 5);
    assert_eq!(refused(&manager, &day("Europe/Berlin")).await.1, 46 * 60);
    assert_eq!(drain(&manager, &day("UTC")).await, 5);
    assert_eq!(refused(&manager, &day("UTC")).await.1, 106 * 60);
    for zone in ["Europe/Berlin", "Europe/Paris", "Europe/London", "UTC"] {
        assert_eq!(drain(&manager, &day(zone)).await, 0, "{zone} has the same day");
    }
    tokio::time::advance(Duration::from_secs(46 * 60)).await;
    assert_eq!(drain(&manager, &day("UTC")).await, 0);
    assert_eq!(drain(&manager, &day("Europe/Berlin")).await, 5);
}
