//! Connections to PostgreSQL that die: nothing acknowledged is lost, nothing is written twice, and the node is back as
//! soon as the server is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use diesel::{PgConnection, sql_query, sql_types};
use domain::event::{Event, LogName};
use domain::throttling::{ApplicationPolicy, defaults};
use domain::{ApiId, Failure, Organization, Timestamp};
use store::apim::policies;
use store::{Apim, ApimDb, OpenOptions, StoreError, Timeouts, migrate, outbox};
use tokio::runtime::Handle;

use crate::support::database::{Databases, postgres_is_there};
use crate::support::rest::{Answer, client};
use crate::support::{DatabaseKind, Sandbox, eventually};

const WRITERS: usize = 8;
const RESTARTS: usize = 10;

fn create() -> Option<Databases> {
    postgres_is_there().then(|| Databases::create(DatabaseKind::Postgres).1).flatten()
}

fn open(url: String, pool_size: u32, timeouts: Timeouts) -> ApimDb {
    migrate::run::<Apim>(&url).unwrap();
    let options = OpenOptions { url, pool_size, acquire_timeout: Duration::from_secs(10), timeouts };
    ApimDb::open(&options, &Handle::current()).unwrap()
}

async fn append(db: &ApimDb) -> Result<(), StoreError> {
    let event = || Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() };
    db.write(move |conn| {
        conn.append(Timestamp::from_secs(1), event());
        Ok(())
    })
    .await
}

/// How the writes of one writer ended.
#[derive(Default)]
struct Outcomes {
    done: AtomicUsize,
    undone: AtomicUsize,
    unknown: AtomicUsize,
}

impl Outcomes {
    fn count(&self, outcome: Result<(), StoreError>) {
        let counter = match outcome {
            Ok(()) => &self.done,
            Err(StoreError::CommitUnknown(_)) => &self.unknown,
            Err(error) if error.is_temporary() => &self.undone,
            Err(error) => panic!("{error:?}"),
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_connections_under_load_lose_nothing_and_write_nothing_twice() {
    let Some(databases) = create() else { return };
    let db = open(databases.first_url(), 4, Timeouts::default());
    let (outcomes, is_over) = (Arc::new(Outcomes::default()), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (db, outcomes, is_over) = (db.clone(), Arc::clone(&outcomes), Arc::clone(&is_over));
            tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    outcomes.count(append(&db).await);
                }
            })
        })
        .collect();
    for _ in 0..RESTARTS {
        let before = outcomes.done.load(Ordering::SeqCst);
        eventually("writes are acknowledged again", async || {
            (outcomes.done.load(Ordering::SeqCst) > before + WRITERS).then_some(())
        })
        .await;
        databases.end_connections();
    }
    is_over.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let head = db.read(|conn| outbox::head(conn, LogName::Control)).await;
    let there = usize::try_from(head.map_err(|error: StoreError| error).unwrap().number).unwrap();
    let (done, unknown) = (outcomes.done.load(Ordering::SeqCst), outcomes.unknown.load(Ordering::SeqCst));
    assert!((done..=done + unknown).contains(&there), "{done} acknowledged, {unknown} unknown, {there} there");
    assert_eq!(db.usage().map(|(used, _)| used), [0, 0], "a connection was not given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_that_died_are_never_noticed() {
    let Some(databases) = create() else { return };
    let db = open(databases.first_url(), 4, Timeouts::default());
    for _ in 0..RESTARTS {
        let together = (0..WRITERS).map(|_| append(&db));
        for outcome in futures_util::future::join_all(together).await {
            outcome.unwrap();
        }
        databases.end_connections();
    }
    append(&db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_inside_a_transaction_that_is_too_long_is_a_503_and_changes_nothing() {
    let Some(databases) = create() else { return };
    let url = databases.first_url();
    let bounds = Timeouts { idle_in_transaction: Duration::from_millis(50), ..Timeouts::default() };
    let db = open(url.clone(), 1, bounds);
    let policy = defaults::application_policies(&Organization::super_tenant()).remove(0);
    let refused = db
        .write(move |conn| {
            policies::insert(conn, &policy)?;
            wait_until_alone(&url);
            policies::list::<ApplicationPolicy>(conn, None)?;
            Ok::<_, Failure>(())
        })
        .await
        .unwrap_err();
    assert!(matches!(refused, Failure::Busy { .. }), "{refused:?}");
    let left = db.read(|conn| policies::list::<ApplicationPolicy>(conn, None)).await;
    assert!(left.map_err(|error: StoreError| error).unwrap().is_empty(), "half of the change remained");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_not_ready_while_the_server_is_away_and_ready_again_without_a_restart() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::start(DatabaseKind::Postgres).await;
    let (ready, publisher) = (format!("{}/health/ready", sandbox.management_url()), sandbox.publisher());
    let readiness = async || Answer::of(client().get(&ready)).await;
    readiness().await.expect(200);

    sandbox.databases().refuse_connections();
    let report = readiness().await.expect(503).json();
    let down = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().any(|check| check["name"] == name && check["status"] == "DOWN")
    };
    assert!(down("apim_db") && down("shared_db"), "{report}");
    let refused = publisher.get("/apis").await.expect(503);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");

    sandbox.databases().accept_connections();
    eventually("the node is ready again", async || (readiness().await.status == 200).then_some(())).await;
    publisher.get("/apis").await.expect(200);
    sandbox.stop().await;
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// Blocks until the server has ended every other connection to the database.
fn wait_until_alone(url: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    let query = "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() \
                 AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while sql_query(query).get_result::<Count>(&mut connection).unwrap().count > 0 {
        std::thread::yield_now();
    }
}
