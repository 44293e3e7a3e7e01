//! The ledger on both databases.

use std::collections::HashMap;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use domain::throttling::Slot;
use tokio::runtime::Handle;

use super::*;
use crate::database::{Apim, Database};
use crate::migrate;
use crate::options::{OpenOptions, Timeouts};

struct Fixture {
    ledger: ApimLeaseLedger,
    _place: Place,
}

impl Fixture {
    /// Makes `owner` the owner of the key's slot, whoever has it now; its epoch.
    async fn take_over(&self, owner: &str) -> u64 {
        let slot = Slot::of("sub:1");
        let rows = self.ledger.renew(owner).await.unwrap().slots;
        let seen = rows.into_iter().filter(|row| row.slot == slot).collect();
        self.ledger.assign(owner, seen).await.unwrap()[0].epoch
    }

    /// What one wish brings.
    async fn reserve(&self, wish: Reservation) -> u64 {
        let reserved = self.ledger.reserve(vec![wish]).await.unwrap();
        let [Reserved::Units(units)] = reserved[..] else { panic!("{reserved:?}") };
        units
    }

    fn wish(&self, epoch: u64, limit: u64, units: u64) -> Reservation {
        let window_end = Timestamp::from_secs(60);
        let key = "sub:1".to_owned();
        Reservation {
            slot: Slot::of(&key),
            key,
            epoch,
            window_id: 0,
            window_end,
            limit,
            units,
            opens_with_a_call: false,
        }
    }
}

/// Where a test's database lies; it goes away with the test.
enum Place {
    Folder(tempfile::TempDir),
    Server { url: String, name: String },
}

impl Place {
    /// A database of its own on the server that `url` names.
    fn on_server(url: String) -> Self {
        let name = format!("lease_ledger_{}", domain::EventId::random().to_string().replace('-', ""));
        execute(&url, &format!("CREATE DATABASE {name}"));
        Self::Server { url, name }
    }

    fn url(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite:{}", folder.path().join("apim.db").display()),
            Self::Server { url, name } => format!("{}/{name}", url.rsplit_once('/').unwrap().0),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Server { url, name } = self {
            execute(url, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn execute(url: &str, statement: &str) {
    PgConnection::establish(url).unwrap().batch_execute(statement).unwrap();
}

fn open(place: Place) -> Fixture {
    let url = place.url();
    migrate::run::<Apim>(&url).unwrap();
    let options =
        OpenOptions { url, pool_size: 8, acquire_timeout: Duration::from_secs(20), timeouts: Timeouts::default() };
    let db = Database::open(&options, &Handle::current()).unwrap();
    Fixture { ledger: ApimLeaseLedger::new(db), _place: place }
}

/// SQLite always; PostgreSQL when the environment names a server.
async fn on_both<F: AsyncFn(Fixture)>(test: F) {
    test(open(Place::Folder(tempfile::tempdir().unwrap()))).await;
    if let Ok(url) = std::env::var("GATEWRIGHT_TEST_POSTGRES") {
        test(open(Place::on_server(url))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_cut_at_the_limit() {
    on_both(async |fixture| {
        let epoch = fixture.take_over("a").await;
        assert_eq!(fixture.reserve(fixture.wish(epoch, 10, 7)).await, 7);
        assert_eq!(fixture.reserve(fixture.wish(epoch, 10, 7)).await, 3);
        assert_eq!(fixture.reserve(fixture.wish(epoch, 10, 7)).await, 0);
        assert_eq!(fixture.reserve(fixture.wish(epoch, 12, 7)).await, 2, "a raised limit counts at once");
        assert_eq!(fixture.reserve(fixture.wish(epoch, 5, 7)).await, 0, "a lowered limit takes nothing back");
        assert_eq!(fixture.reserve(Reservation { window_id: 60_000, ..fixture.wish(epoch, 10, 99) }).await, 10);
        assert_eq!(fixture.reserve(Reservation { window_id: 1, ..fixture.wish(epoch, 0, 1) }).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_reservers_at_once_never_get_more_than_the_limit() {
    on_both(async |fixture| {
        let epoch = fixture.take_over("a").await;
        let other = |wish: Reservation| Reservation { window_id: 60_000, ..wish };
        let reservers: Vec<_> = (0..32)
            .map(|n| {
                let ledger = fixture.ledger.clone();
                let mut wishes = vec![fixture.wish(epoch, 100, 1 + n % 5), other(fixture.wish(epoch, 70, 1 + n % 3))];
                // Half of them in the other order, for whoever locks one row after the other.
                wishes.rotate_left(usize::try_from(n % 2).unwrap());
                tokio::spawn(async move {
                    let mut totals: HashMap<i64, u64> = HashMap::new();
                    loop {
                        let reserved = ledger.reserve(wishes.clone()).await.unwrap();
                        if reserved.iter().all(|units| *units == Reserved::Units(0)) {
                            return totals;
                        }
                        for (wish, units) in wishes.iter().zip(reserved) {
                            let Reserved::Units(units) = units else { panic!("fenced") };
                            *totals.entry(wish.window_id).or_default() += units;
                        }
                    }
                })
            })
            .collect();
        let mut totals: HashMap<i64, u64> = HashMap::new();
        for reserver in reservers {
            for (window, units) in reserver.await.unwrap() {
                *totals.entry(window).or_default() += units;
            }
        }
        assert_eq!(totals, HashMap::from([(0, 100), (60_000, 70)]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wishes_are_answered_each_by_itself() {
    on_both(async |fixture| {
        let epoch = fixture.take_over("a").await;
        let wish = |units| fixture.wish(epoch, 10, units);
        let later = |units| Reservation { window_id: 60_000, ..wish(units) };
        let stale = fixture.wish(epoch + 1, 10, 1);
        let expected =
            [Reserved::Units(6), Reserved::Units(4), Reserved::Fenced { current: epoch }, Reserved::Units(7)];
        let wishes = vec![wish(6), wish(6), stale.clone(), later(7)];
        assert_eq!(fixture.ledger.reserve(wishes).await.unwrap(), expected);
        let expected = [Reserved::Units(0), Reserved::Units(3), Reserved::Units(0)];
        assert_eq!(fixture.ledger.reserve(vec![wish(6), later(7), later(1)]).await.unwrap(), expected);
        assert_eq!(fixture.ledger.reserve(vec![stale]).await.unwrap(), [Reserved::Fenced { current: epoch }]);
        assert_eq!(fixture.ledger.reserve(Vec::new()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_owner_fences_the_old_one_and_gets_only_the_rest() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let old = fixture.take_over("a").await;
        assert_eq!(fixture.reserve(fixture.wish(old, 10, 8)).await, 8);
        let new = fixture.take_over("b").await;
        assert!(new > old);
        let refused = ledger.reserve(vec![fixture.wish(old, 10, 1)]).await.unwrap();
        assert_eq!(refused, [Reserved::Fenced { current: new }]);
        assert_eq!(fixture.reserve(fixture.wish(new, 10, 10)).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_same_slots_one_gets_each() {
    on_both(async |fixture| {
        let seen = fixture.ledger.renew("first").await.unwrap().slots;
        assert_eq!(seen.len(), Slot::COUNT);
        let owners: Vec<_> = (0..8)
            .map(|n| {
                let (ledger, seen) = (fixture.ledger.clone(), seen.clone());
                tokio::spawn(async move { ledger.assign(&format!("owner {n}"), seen).await.unwrap() })
            })
            .collect();
        let mut won = Vec::new();
        for owner in owners {
            won.extend(owner.await.unwrap());
        }
        won.sort_unstable_by_key(|row| row.slot);
        assert_eq!(won, fixture.ledger.renew("first").await.unwrap().slots);
        assert!(won.iter().zip(&seen).all(|(after, before)| after.epoch == before.epoch + 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_renews_only_when_somebody_else_may_be_watching() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let renewals = async |node: &str| {
            let nodes = ledger.renew(node).await.unwrap().nodes;
            nodes.into_iter().find(|row| row.node == "a").map(|row| row.renewals)
        };
        assert_eq!([renewals("a").await, renewals("a").await], [Some(1), Some(1)]);
        assert_eq!(renewals("b").await, Some(1));
        assert_eq!([renewals("a").await, renewals("b").await], [Some(1), Some(2)]);
        ledger.bury(vec![NodeRow { node: "a".to_owned(), renewals: 1 }]).await.unwrap();
        assert_eq!(renewals("b").await, Some(2), "it has renewed since");
        ledger.bury(vec![NodeRow { node: "a".to_owned(), renewals: 2 }]).await.unwrap();
        assert_eq!(renewals("b").await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_owns_nothing_any_more() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let epoch = fixture.take_over("a").await;
        ledger.leave("a").await.unwrap();
        let picture = ledger.renew("b").await.unwrap();
        assert_eq!(picture.nodes, [NodeRow { node: "b".to_owned(), renewals: 1 }]);
        assert!(picture.slots.iter().all(|row| row.owner.is_empty()));
        assert!(fixture.take_over("b").await > epoch);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_is_reserved_again() {
    on_both(async |fixture| {
        let epoch = fixture.take_over("a").await;
        assert_eq!(fixture.reserve(fixture.wish(epoch, 10, 10)).await, 10);
        fixture.ledger.put_back(vec![fixture.wish(epoch, 10, 4)]).await.unwrap();
        fixture.ledger.put_back(vec![fixture.wish(epoch, 10, 7)]).await.unwrap();
        let epoch = fixture.take_over("b").await;
        assert_eq!(fixture.reserve(fixture.wish(epoch, 10, 9)).await, 4, "never more than was reserved");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_windows_are_forgotten_and_others_stay() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let epoch = fixture.take_over("a").await;
        let later = Reservation { window_id: 1, window_end: Timestamp::from_secs(61), ..fixture.wish(epoch, 10, 10) };
        fixture.reserve(fixture.wish(epoch, 10, 10)).await;
        fixture.reserve(later.clone()).await;
        assert_eq!(ledger.forget_ended(Timestamp::from_secs(61)).await.unwrap(), 1);
        assert_eq!(fixture.reserve(later).await, 0);
        assert_eq!(fixture.reserve(fixture.wish(epoch, 10, 10)).await, 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_window_that_has_not_ended_is_found_under_its_name() {
    on_both(async |fixture| {
        let epoch = fixture.take_over("a").await;
        let at = async |secs| fixture.ledger.open_since("sub:1", Timestamp::from_secs(secs)).await.unwrap();
        assert_eq!(at(0).await, None);
        fixture.reserve(fixture.wish(epoch, 10, 4)).await;
        let later =
            Reservation { window_id: 70_000, window_end: Timestamp::from_secs(130), ..fixture.wish(epoch, 10, 4) };
        fixture.reserve(later.clone()).await;
        fixture.reserve(Reservation { key: "sub:2".to_owned(), window_id: 90_000, ..later.clone() }).await;
        assert_eq!([at(0).await, at(129).await], [Some(Timestamp::from_secs(70)); 2]);
        assert_eq!(at(130).await, None);
        // It stays open when nothing of it was spent.
        fixture.ledger.put_back(vec![later]).await.unwrap();
        assert_eq!(at(129).await, Some(Timestamp::from_secs(70)));
    })
    .await;
}

/// What an owner opens while it is replaced is found by its successor, or is not opened.
#[tokio::test(flavor = "multi_thread")]
async fn no_window_is_opened_behind_the_back_of_the_next_owner() {
    on_both(async |fixture| {
        for round in 0..20 {
            let epoch = fixture.take_over(&format!("old{round}")).await;
            let wish = Reservation { key: format!("k{round}"), opens_with_a_call: true, ..fixture.wish(epoch, 10, 1) };
            let ledger = fixture.ledger.clone();
            let opening = tokio::spawn(async move {
                for start in 1.. {
                    let (window_id, window_end) = (start, Timestamp::from_millis(start + 1_000));
                    let next = Reservation { window_id, window_end, ..wish.clone() };
                    if let [Reserved::Fenced { .. }] = ledger.reserve(vec![next]).await.unwrap()[..] {
                        return start - 1;
                    }
                }
                0
            });
            fixture.take_over(&format!("new{round}")).await;
            let seen = fixture.ledger.open_since(&format!("k{round}"), Timestamp::from_millis(0)).await.unwrap();
            assert_eq!(seen.map_or(0, Timestamp::as_millis), opening.await.unwrap());
        }
    })
    .await;
}
