//! What is damaged on a gateway's disk is noticed and mended.

use domain::content;
use domain::event::LogName;
use domain::runtime::{Revocation, RevocationEntry};
use domain::{Clock, Organization, SystemClock, Timestamp};

use super::chain::{Chain, Gateway};
use crate::support::DatabaseKind;
use crate::support::sqlite::execute;
use crate::support::wait::eventually;

/// Changes the file as nothing of Gatewright would.
fn damage(gateway: &Gateway, sql: &str) {
    execute(&gateway.home().join("carbon.db"), sql);
}

async fn mismatches(gateway: &Gateway, at_least: u64) {
    eventually("the mismatch is counted", async || (gateway.mismatches() >= at_least).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_of_the_carbon_store_is_noticed_and_mended() {
    let chain = Chain::start(DatabaseKind::Sqlite).await;
    let mut gateway = Gateway::start(&chain);
    gateway.until(|status| status.is_loaded).await;
    let (pizza, pasta) = (chain.create("pizza").await, chain.create("pasta").await);
    let revision = chain.deploy(&pizza).await;
    chain.deploy(&pasta).await;
    let expires_at = SystemClock.now().plus(std::time::Duration::from_secs(7200));
    let entry = |jti: &str| RevocationEntry {
        organization: Organization::super_tenant(),
        revocation: Revocation::Token { jti: jti.into() },
        expires_at,
    };
    chain.revoke(entry("gone")).await;
    let (control, revocation) = (chain.head(LogName::Control).await, chain.head(LogName::Revocation).await);
    gateway.until(|now| now.control.applied.number == control && now.revocation.applied.number == revocation).await;
    chain.until_held_by(&gateway).await;
    assert_eq!(gateway.mismatches(), 0);
    let damages = [
        "DELETE FROM runtime_rows WHERE kind = 'deployment'",
        "UPDATE runtime_rows SET document = replace(document, 'localhost', 'elsewhere') WHERE kind = 'deployment'",
        "UPDATE runtime_rows SET document = 'x' WHERE kind = 'api'",
        "DELETE FROM runtime_rows WHERE kind = 'revocation'",
        "UPDATE artifacts SET document = replace(document, 'localhost', 'elsewhere')",
    ];
    for (count, sql) in (1..).zip(damages) {
        damage(&gateway, sql);
        mismatches(&gateway, count).await;
        chain.until_held_by(&gateway).await;
    }
    assert_eq!(gateway.revision(&pizza), Some(revision));
    assert!(gateway.is_revoked("gone"));
    eventually("the documents are the right ones again", async || {
        gateway.backends().iter().all(|url| url == "http://localhost:1").then_some(())
    })
    .await;
    // And events go on where they were.
    let newest = chain.deploy(&pizza).await;
    let number = chain.head(LogName::Control).await;
    gateway.until(|status| status.control.applied.number == number).await;
    assert_eq!(gateway.revision(&pizza), Some(newest));
    chain.until_held_by(&gateway).await;
    let at = Timestamp::from_millis(0);
    assert!(content::differences(&gateway.content().snapshot, &chain.told(at).await).unwrap().unwrap().is_empty());
}
