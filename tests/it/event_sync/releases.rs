//! Releases with neighbouring schema versions side by side.

use domain::event::LogName;

use super::chain::{Chain, Gateway};
use crate::support::DatabaseKind;
use crate::support::next_release::{MAKE_OLDER, unknown_change};
use crate::support::sqlite::execute;

/// What the next release's publisher would commit.
fn commit_unknown(chain: &Chain) {
    execute(&chain.database_file(), &format!("BEGIN IMMEDIATE; {} COMMIT;", unknown_change(1)));
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
    execute(&home.path().join("carbon.db"), MAKE_OLDER);
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
