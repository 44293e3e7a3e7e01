//! Exactness of the local stock: concurrent callers, windows, give-backs.

use domain::throttling::{Shape, TimeUnit};

use super::*;
use crate::table::Measure;
use crate::testing::fixture;
use crate::testing::throttle::{FakeThrottle, RETRY_IN, WINDOW_ID};
use crate::testing::wait::until;

/// It is one millisecond after the fake owner's window began, for ever.
struct Eleven;

impl Clock for Eleven {
    fn now(&self) -> domain::Timestamp {
        domain::Timestamp::from_millis(WINDOW_ID + 1)
    }
}

struct Setting {
    throttle: Arc<FakeThrottle>,
    book: Arc<LeaseBook>,
    api: GatewayApi,
    key: ThrottleKey,
}

fn setting(cells_max: usize) -> Setting {
    setting_with(cells_max, OnTmLoss::Deny, Fleet::default())
}

fn setting_with(cells_max: usize, on_tm_loss: OnTmLoss, fleet: Fleet) -> Setting {
    let throttle = Arc::new(FakeThrottle::default());
    let loss = Loss { on_tm_loss, fleet, clock: Arc::new(Eleven), admitted: Counter::default() };
    let book = LeaseBook::new(Arc::clone(&throttle) as Arc<dyn Throttle>, cells_max, Counter::default(), loss);
    let api = fixture::api("pizza", "http://localhost:1");
    let key = ThrottleKey::Subscription { application: ApplicationId::random(), api: api.api_id, tier: "Gold".into() };
    Setting { throttle, book, api, key }
}

fn quota(requests: u64) -> RequestQuota {
    RequestQuota {
        requests,
        shape: Shape::aligned(1, TimeUnit::Hour),
        on_tm_loss: None,
        measure: Measure::Calls,
        stops: true,
    }
}

impl Setting {
    async fn take(&self, requests: u64) -> Verdict {
        self.book.take(&self.key, &self.api, quota(requests), &mut Instant::now()).await.unwrap()
    }

    async fn take_unit(&self, requests: u64) -> Unit {
        match self.take(requests).await {
            Verdict::Taken(unit) => unit,
            Verdict::Exhausted { .. } => panic!("exhausted"),
        }
    }

    /// How many of `callers` concurrent tasks, `calls` each, got a unit.
    async fn storm(self: &Arc<Self>, callers: usize, calls: usize, requests: u64) -> usize {
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let setting = Arc::clone(self);
                tokio::spawn(async move {
                    let mut taken = 0;
                    for _ in 0..calls {
                        if let Verdict::Taken(unit) = setting.take(requests).await {
                            unit.spend();
                            taken += 1;
                        }
                    }
                    taken
                })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            taken += task.await.unwrap();
        }
        taken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_the_quota_passes_under_concurrent_callers() {
    for requests in [1, 5, 100, 1000] {
        let setting = Arc::new(setting(10));
        assert_eq!(setting.storm(32, 50, requests).await, usize::try_from(requests).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_beyond_the_limit_are_exact_too() {
    let setting = Arc::new(setting(0));
    assert_eq!(setting.storm(32, 10, 100).await, 100);
}

#[tokio::test]
async fn a_unit_that_is_not_spent_goes_to_the_next_call() {
    let setting = setting(10);
    drop(setting.take_unit(1).await);
    let unit = setting.take_unit(1).await;
    let Verdict::Exhausted { retry_in } = setting.take(1).await else { panic!("two units") };
    assert!(retry_in <= RETRY_IN && retry_in > RETRY_IN / 2);
    drop(unit);
    setting.take_unit(1).await.spend();
    assert!(matches!(setting.take(1).await, Verdict::Exhausted { .. }));
}

#[tokio::test]
async fn a_hot_key_asks_for_more_at_a_time() {
    let setting = Arc::new(setting(10));
    assert_eq!(setting.storm(1, 4000, 100_000).await, 4000);
    let requests = setting.throttle.requests.load(Ordering::Relaxed);
    assert!(requests < 40, "{requests} leases for 4000 calls");
}

#[tokio::test]
async fn all_units_can_be_given_back_and_late_ones_go_to_the_owner() {
    let setting = setting(10);
    let unit = setting.take_unit(1000).await;
    setting.take_unit(1000).await.spend();
    setting.book.give_back_all().await;
    assert_eq!(setting.throttle.granted_for("sub:"), 2, "one is spent, one is out");
    drop(unit);
    while setting.throttle.granted_for("sub:") != 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_changed_quota_counts_from_the_next_call_on() {
    let setting = setting(10);
    setting.take_unit(1).await.spend();
    assert!(matches!(setting.take(1).await, Verdict::Exhausted { .. }));
    setting.take_unit(2).await.spend();
    assert!(matches!(setting.take(2).await, Verdict::Exhausted { .. }));
}

#[tokio::test]
async fn without_an_owner_nothing_is_said() {
    let setting = setting(10);
    setting.throttle.is_down.store(true, Ordering::Relaxed);
    assert!(setting.book.take(&setting.key, &setting.api, quota(1), &mut Instant::now()).await.is_err());
}

#[test]
fn keys_on_the_wire_name_what_is_counted() {
    let Setting { api, key, .. } = setting(1);
    let ThrottleKey::Subscription { application, .. } = &key else { panic!() };
    assert_eq!(key.on_the_wire(&api), format!("sub:{application}:/pizza/1.0.0:1.0.0:Gold"));
    let key = ThrottleKey::Application { application: *application, user: "bob@carbon.super".into(), generation: 0 };
    assert_eq!(key.on_the_wire(&api), format!("app:{application}:bob@carbon.super"));
}

#[tokio::test]
async fn alone_a_gateway_admits_its_share_less_what_it_spent() {
    let fleet = Fleet::default();
    fleet.tell(2);
    let setting = setting_with(10, OnTmLoss::LocalShare, fleet);
    setting.take_unit(20).await.spend();
    setting.take_unit(20).await.spend();
    setting.book.give_back_all().await;
    setting.throttle.is_down.store(true, Ordering::Relaxed);
    drop(setting.take_unit(20).await);
    for _ in 2..10 {
        setting.take_unit(20).await.spend();
    }
    assert!(matches!(setting.take(20).await, Verdict::Exhausted { .. }));
    assert_eq!(setting.book.loss.admitted.get(), 8);
    setting.throttle.is_down.store(false, Ordering::Relaxed);
    setting.take_unit(20).await.spend();
    assert_eq!(setting.book.loss.admitted.get(), 8);
}

#[tokio::test]
async fn an_idle_key_is_forgotten_but_not_what_it_spent() {
    let setting = setting_with(10, OnTmLoss::LocalShare, Fleet::default());
    for _ in 0..3 {
        setting.take_unit(20).await.spend();
    }
    while setting.book.cells.len() + setting.book.named.len() > 0 {
        setting.book.sweep().await;
        tokio::task::yield_now().await;
    }
    assert_eq!(setting.throttle.granted_for("sub"), 3);
    setting.throttle.is_down.store(true, Ordering::Relaxed);
    for _ in 3..20 {
        setting.take_unit(20).await.spend();
    }
    assert!(matches!(setting.take(20).await, Verdict::Exhausted { .. }));
}

#[tokio::test]
async fn alone_a_gateway_admits_nothing_for_keys_that_it_cannot_remember() {
    let setting = setting_with(0, OnTmLoss::LocalShare, Fleet::default());
    setting.throttle.is_down.store(true, Ordering::Relaxed);
    assert!(setting.book.take(&setting.key, &setting.api, quota(100), &mut Instant::now()).await.is_err());
}

#[tokio::test]
async fn alone_a_gateway_may_be_told_to_admit_everything() {
    let setting = setting_with(10, OnTmLoss::Allow, Fleet::default());
    setting.throttle.is_down.store(true, Ordering::Relaxed);
    for _ in 0..5 {
        setting.take_unit(1).await.spend();
    }
    assert_eq!(setting.book.loss.admitted.get(), 5);
}

#[tokio::test]
async fn what_a_quota_says_of_losses_counts_before_what_the_node_is_told() {
    let setting = setting_with(10, OnTmLoss::Deny, Fleet::default());
    setting.throttle.is_down.store(true, Ordering::Relaxed);
    let ask = async |on_tm_loss| {
        let quota = RequestQuota { on_tm_loss, ..quota(1) };
        match setting.book.take(&setting.key, &setting.api, quota, &mut Instant::now()).await {
            Ok(Verdict::Taken(unit)) => {
                unit.spend();
                "taken"
            }
            Ok(Verdict::Exhausted { .. }) => "exhausted",
            Err(_) => "denied",
        }
    };
    assert_eq!([ask(None).await, ask(Some(OnTmLoss::Deny)).await], ["denied"; 2]);
    assert_eq!([ask(Some(OnTmLoss::Allow)).await, ask(Some(OnTmLoss::Allow)).await], ["taken"; 2]);
    let share = Some(OnTmLoss::LocalShare);
    assert_eq!([ask(share).await, ask(share).await], ["taken", "exhausted"]);
    assert_eq!(setting.book.loss.admitted.get(), 3);
}

#[tokio::test]
async fn units_that_are_wanted_elsewhere_go_back_from_an_idle_key() {
    let setting = setting(10);
    // The second lease is larger.
    for _ in 0..2 {
        setting.take_unit(1000).await.spend();
    }
    assert_eq!(setting.throttle.granted_for("sub:"), 3);
    let key = setting.key.on_the_wire(&setting.api);
    setting.throttle.holders.recall(&key);
    tokio::task::yield_now().await;
    assert_eq!(setting.throttle.granted_for("sub:"), 3, "the key is in use");
    until(|| {
        setting.throttle.holders.recall(&key);
        setting.throttle.granted_for("sub:") == 2
    })
    .await;
}
