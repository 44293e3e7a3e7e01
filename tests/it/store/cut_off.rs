//! Bounds of PostgreSQL connections: what waits or runs too long is a 503 that leaves nothing behind, and a migration is
//! never cut off.

use std::time::Duration;

use actix_web::ResponseError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{PgConnection, sql_query, sql_types};
use domain::event::Event;
use domain::throttling::{ApplicationPolicy, defaults};
use domain::{ApiId, Failure, Organization, Timestamp};
use http::problem::Problem;
use store::apim::policies;
use store::{Apim, ApimDb, OpenOptions, StoreError, Timeouts, migrate};
use tokio::runtime::Handle;

use crate::support::database::{Databases, postgres_is_there};
use crate::support::{DatabaseKind, eventually};

/// What migrations hold while they run.
const MIGRATION_LOCK: i64 = 7_346_210_001;

fn create() -> Option<Databases> {
    postgres_is_there().then(|| Databases::create(DatabaseKind::Postgres).1).flatten()
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

/// A change with its event: the log is what a test may hold.
fn insert_and_announce(conn: &mut store::ApimConn, policy: &ApplicationPolicy) -> Result<(), Failure> {
    policies::insert(conn, policy)?;
    conn.append(
        Timestamp::from_secs(1),
        Event::ApiDeleted { organization: Organization::super_tenant(), api_id: ApiId::random() },
    );
    Ok(())
}

/// A write whose last table, that of the log's numbers, is held by somebody else; what the REST layer makes of its end.
async fn held_up(timeouts: Timeouts) {
    let Some(databases) = create() else { return };
    let url = databases.first_url();
    migrate::run::<Apim>(&url).unwrap();
    let options = OpenOptions { url: url.clone(), pool_size: 2, acquire_timeout: Duration::from_secs(10), timeouts };
    let db = ApimDb::open(&options, &Handle::current()).unwrap();
    let mut holder = connect(&url);
    holder.batch_execute("BEGIN; LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE").unwrap();
    let policy = defaults::application_policies(&Organization::super_tenant()).remove(0);
    let work = move |conn: &mut store::ApimConn| insert_and_announce(conn, &policy);
    let refused = db.write(work.clone()).await.unwrap_err();
    let answer = Problem::from(refused).error_response();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));

    holder.batch_execute("ROLLBACK").unwrap();
    let left = db.read(|conn| policies::list::<ApplicationPolicy>(conn, None)).await;
    assert!(left.map_err(|error: StoreError| error).unwrap().is_empty(), "half of the change remained");
    db.write(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_a_lock_that_is_too_long_is_a_503_and_changes_nothing() {
    held_up(Timeouts { lock: Duration::from_millis(100), ..Timeouts::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_runs_too_long_is_a_503_and_changes_nothing() {
    let statement = Duration::from_millis(100);
    held_up(Timeouts { statement, lock: Duration::ZERO, ..Timeouts::default() }).await;
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_its_turn_as_long_as_it_takes() {
    let Some(databases) = create() else { return };
    let url = databases.first_url();
    let mut holder = connect(&url);
    // Defaults of the database that would cut everything off at once.
    let settings = format!(
        "ALTER DATABASE {0} SET statement_timeout = '50ms'; ALTER DATABASE {0} SET lock_timeout = '50ms'; \
         SELECT pg_advisory_lock({MIGRATION_LOCK})",
        url.rsplit('/').next().unwrap()
    );
    holder.batch_execute(&settings).unwrap();
    let migrating = {
        let url = url.clone();
        tokio::task::spawn_blocking(move || migrate::run::<Apim>(&url))
    };
    eventually("the migration waits longer than a statement may run", async || {
        let query = "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() \
                     AND wait_event = 'advisory' AND now() - query_start > interval '200 milliseconds'";
        let waiting: Count = sql_query(query).get_result(&mut holder).unwrap();
        (waiting.count > 0).then_some(())
    })
    .await;
    holder.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})")).unwrap();
    assert!(!migrating.await.unwrap().unwrap().is_empty());
}
