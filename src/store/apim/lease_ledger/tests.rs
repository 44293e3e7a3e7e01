use std::time::Duration;

use tokio::runtime::Handle;

use super::*;
use crate::database::{Apim, Database, OpenOptions};
use crate::migrate;

struct Fixture {
    ledger: ApimLeaseLedger,
    /// Windows of earlier runs may lie in a PostgreSQL database that several tests share.
    key: String,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn wish(&self, epoch: u64, limit: u64, units: u64) -> Reservation {
        let window_end = Timestamp::from_secs(60);
        Reservation { key: self.key.clone(), epoch, window_id: 0, window_end, limit, units }
    }
}

fn open(url: Option<String>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let url = url.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("apim.db").display()));
    migrate::run::<Apim>(&url).unwrap();
    let options = OpenOptions { url, pool_size: 8, acquire_timeout: Duration::from_secs(20) };
    let db = Database::open(&options, &Handle::current()).unwrap();
    Fixture { ledger: ApimLeaseLedger::new(db), key: domain::EventId::random().to_string(), _folder: folder }
}

/// SQLite always; PostgreSQL when the environment names one. Epochs are one for all, so its tests go one by one.
async fn on_both<F: AsyncFn(Fixture)>(test: F) {
    static ONE_BY_ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    test(open(None)).await;
    if let Ok(url) = std::env::var("GATEWRIGHT_TEST_POSTGRES") {
        let _turn = ONE_BY_ONE.lock().await;
        test(open(Some(url))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_cut_at_the_limit() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let epoch = ledger.take_over("a").await.unwrap();
        assert_eq!(ledger.reserve(fixture.wish(epoch, 10, 7)).await.unwrap(), 7);
        assert_eq!(ledger.reserve(fixture.wish(epoch, 10, 7)).await.unwrap(), 3);
        assert_eq!(ledger.reserve(fixture.wish(epoch, 10, 7)).await.unwrap(), 0);
        assert_eq!(ledger.reserve(fixture.wish(epoch, 12, 7)).await.unwrap(), 2, "a raised limit counts at once");
        assert_eq!(ledger.reserve(fixture.wish(epoch, 5, 7)).await.unwrap(), 0, "a lowered limit takes nothing back");
        assert_eq!(ledger.reserve(Reservation { window_id: 60_000, ..fixture.wish(epoch, 10, 99) }).await.unwrap(), 10);
        assert_eq!(ledger.reserve(Reservation { window_id: 1, ..fixture.wish(epoch, 0, 1) }).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_reservers_at_once_never_get_more_than_the_limit() {
    on_both(async |fixture| {
        let epoch = fixture.ledger.take_over("a").await.unwrap();
        let reservers: Vec<_> = (0..32)
            .map(|n| {
                let ledger = fixture.ledger.clone();
                let wish = fixture.wish(epoch, 100, 1 + n % 5);
                tokio::spawn(async move {
                    let mut total = 0;
                    loop {
                        match ledger.reserve(wish.clone()).await.unwrap() {
                            0 => return total,
                            units => total += units,
                        }
                    }
                })
            })
            .collect();
        let mut total = 0;
        for reserver in reservers {
            total += reserver.await.unwrap();
        }
        assert_eq!(total, 100);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_owner_fences_the_old_one_and_gets_only_the_rest() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let old = ledger.take_over("a").await.unwrap();
        assert_eq!(ledger.reserve(fixture.wish(old, 10, 8)).await.unwrap(), 8);
        let new = ledger.take_over("b").await.unwrap();
        assert!(new > old);
        match ledger.reserve(fixture.wish(old, 10, 1)).await.unwrap_err() {
            LedgerError::Fenced { held, current } => assert_eq!((held, current), (old, new)),
            error => panic!("{error}"),
        }
        assert_eq!(ledger.reserve(fixture.wish(new, 10, 10)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn epochs_of_concurrent_owners_differ() {
    on_both(async |fixture| {
        let owners: Vec<_> = (0..16)
            .map(|n| {
                let ledger = fixture.ledger.clone();
                tokio::spawn(async move { ledger.take_over(&format!("owner {n}")).await.unwrap() })
            })
            .collect();
        let mut epochs = Vec::new();
        for owner in owners {
            epochs.push(owner.await.unwrap());
        }
        epochs.sort_unstable();
        epochs.dedup();
        assert_eq!(epochs.len(), 16);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_windows_are_forgotten_and_others_stay() {
    on_both(async |fixture| {
        let ledger = &fixture.ledger;
        let epoch = ledger.take_over("a").await.unwrap();
        let later = Reservation { window_id: 1, window_end: Timestamp::from_secs(61), ..fixture.wish(epoch, 10, 10) };
        ledger.reserve(fixture.wish(epoch, 10, 10)).await.unwrap();
        ledger.reserve(later.clone()).await.unwrap();
        assert!(ledger.forget_ended(Timestamp::from_secs(61)).await.unwrap() >= 1);
        assert_eq!(ledger.reserve(later).await.unwrap(), 0);
        assert_eq!(ledger.reserve(fixture.wish(epoch, 10, 10)).await.unwrap(), 10);
    })
    .await;
}
