//! Releases with neighbouring schema versions side by side.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use domain::event::{LogName, SCHEMA_VERSION};

use super::chain::{Chain, Gateway};
use crate::support::DatabaseKind;

fn execute(file: &Path, sql: &str) {
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute(&format!("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE; {sql} COMMIT;")).unwrap();
}

/// What the next release's publisher would commit.
fn commit_unknown(chain: &Chain) {
    let (schema, event) = (SCHEMA_VERSION + 1, r#"{"type":"FLUX_UPDATE","payload":{"capacitors":2}}"#);
    let sql = format!(
        "UPDATE log_head SET number = number + 1 WHERE log = 'control'; \
         INSERT INTO outbox (log, number, event_id, schema_version, organization, kind, payload, created_at) \
         SELECT 'control', number, '00000000-0000-7000-8000-000000000001', {schema}, 'carbon.super', 'FLUX_UPDATE', '{event}', 1 \
         FROM log_head WHERE log = 'control';"
    );
    execute(&chain.database_file(), &sql);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_hub_and_gateway_pass_over_what_a_newer_release_wrote_and_an_upgrade_misses_nothing() {
    let chain = Chain::start(DatabaseKind::Sqlite).await;
    let mut gateway = Gateway::start(&chain);
    gateway.until(|status| status.is_loaded).await;
    let (pizza, pasta) = (chain.create("pizza").await, chain.create("pasta").await);
    chain.deploy(&pizza).await;
    commit_unknown(&chain);
    let newest = chain.deploy(&pasta).await;
    let number = chain.head(LogName::Control).await;
    assert_eq!(number, 3);
    gateway.until(|status| status.control.applied.number == number).await;
    assert_eq!(gateway.revision(&pasta), Some(newest));
    assert_eq!(gateway.skipped(), 1);
    let home = gateway.stop().await;

    // The same release goes on from its position.
    let mut same = Gateway::start_at(&chain, home);
    let newest = chain.deploy(&pasta).await;
    same.until(|status| status.control.applied.number == number + 1).await;
    assert_eq!((same.snapshots(), same.revision(&pasta)), (0, Some(newest)));
    let home = same.stop().await;

    // For the next release the state is an older one's: it serves it, and takes a snapshot, once.
    execute(&home.path().join("carbon.db"), "UPDATE positions SET schema = schema - 1;");
    let mut upgraded = Gateway::start_at(&chain, home);
    assert_eq!(upgraded.revision(&pasta), Some(newest));
    upgraded.until(|status| status.control.applied.number == number + 1 && status.unacknowledged == 0).await;
    upgraded.until(|status| !status.revocation.applied.log_id.is_empty()).await;
    let taken = upgraded.snapshots();
    assert!((1..=2).contains(&taken), "{taken} snapshots");
    let again = Gateway::start_at(&chain, upgraded.stop().await);
    assert_eq!(again.applied(), number + 1);
    assert_eq!(again.snapshots(), 0);
}
