//! A gateway whose disk fails: what it holds is damaged, or nothing can be written any more.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use domain::event::LogName;
use domain::runtime::{Revocation, RevocationEntry};
use domain::{Clock, Organization, SystemClock};
use tempfile::TempDir;

use crate::event_sync::chain::{Chain, Gateway};
use crate::support::DatabaseKind;
use crate::support::noise::scribble;
use crate::support::small_disk::SmallDisk;
use crate::support::sqlite::execute;
use crate::support::wait::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_with_noise_in_its_last_good_state_starts_and_serves_the_right_thing() {
    let chain = Chain::start(DatabaseKind::Sqlite).await;
    let (pizza, pasta) = (chain.create("pizza").await, chain.create("pasta").await);
    let (first, second) = (chain.deploy(&pizza).await, chain.deploy(&pasta).await);
    let mut gateway = Gateway::start(&chain);
    gateway.until(|status| status.is_loaded && status.unacknowledged == 0).await;
    let (mut set_aside, mut home) = (0, gateway.stop().await);
    for seed in 0..40 {
        println!("seed {seed}");
        scribble(&home.path().join("carbon.db"), seed);
        let mut gateway = Gateway::start_at(&chain, home);
        gateway.until(|status| status.is_loaded && !status.control.applied.log_id.is_empty()).await;
        chain.until_held_by(&gateway).await;
        eventually(&format!("both are served, seed {seed}"), async || {
            let served = (gateway.revision(&pizza), gateway.revision(&pasta));
            (served == (Some(first), Some(second))).then_some(())
        })
        .await;
        home = gateway.stop().await;
        set_aside = fs::read_dir(home.path()).unwrap().filter(|entry| is_set_aside(entry.as_ref().unwrap())).count();
    }
    println!("{set_aside} of 40 damaged files were set aside");
    assert!(set_aside > 0);
}

fn is_set_aside(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_str().unwrap().starts_with("carbon.db.corrupt-")
}

/// A disk that can be full.
trait Disk {
    fn fill(&self, home: &Path);
    fn free(&self, home: &Path);
}

/// Every write of the last good state fails, as on a disk that cannot be written.
struct ReadOnly;

impl Disk for ReadOnly {
    fn fill(&self, home: &Path) {
        let trigger = |what: &str, name: &str| {
            format!("CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'cannot be written'); END;")
        };
        let on_update = trigger("UPDATE ON positions", "no_update");
        execute(&home.join("carbon.db"), &format!("{on_update} {}", trigger("INSERT ON artifacts", "no_insert")));
    }

    fn free(&self, home: &Path) {
        execute(&home.join("carbon.db"), "DROP TRIGGER no_update; DROP TRIGGER no_insert;");
    }
}

/// A file system that is full.
struct Full(SmallDisk);

impl Disk for Full {
    fn fill(&self, _home: &Path) {
        self.0.fill();
    }

    fn free(&self, _home: &Path) {
        self.0.free();
    }
}

async fn survive(disk: &dyn Disk, home: Arc<TempDir>) {
    let chain = Chain::start(DatabaseKind::Sqlite).await;
    let (pizza, pasta) = (chain.create("pizza").await, chain.create("pasta").await);
    let old = chain.deploy(&pizza).await;
    let mut gateway = Gateway::start_at(&chain, home);
    gateway.until(|status| status.is_loaded && status.unacknowledged == 0).await;
    let before = gateway.applied();

    disk.fill(gateway.home());
    // Larger than what SQLite may still have room for.
    for _ in 0..4 {
        chain.deploy(&pizza).await;
    }
    let newest = chain.deploy(&pizza).await;
    chain.deploy(&pasta).await;
    let revocation = Revocation::Token { jti: "gone".into() };
    let expires_at = SystemClock.now().plus(std::time::Duration::from_secs(3_600));
    chain.revoke(RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at }).await;
    gateway.until(|status| status.disk_report().contains("changes cannot be stored: ")).await;
    // It serves what it has, applies nothing that it could not store, except that it lets no revoked token pass.
    eventually("the revocation counts", async || gateway.is_revoked("gone").then_some(())).await;
    assert_eq!((gateway.revision(&pizza), gateway.revision(&pasta)), (Some(old), None));
    assert_eq!(gateway.applied(), before);

    disk.free(gateway.home());
    let (control, revocation) = (chain.head(LogName::Control).await, chain.head(LogName::Revocation).await);
    gateway.until(|now| now.control.applied.number == control && now.revocation.applied.number == revocation).await;
    gateway.until(|status| status.disk_error.is_none() && status.unacknowledged == 0).await;
    assert_eq!(gateway.revision(&pizza), Some(newest));
    assert!(gateway.revision(&pasta).is_some() && gateway.is_revoked("gone"));
    chain.until_held_by(&gateway).await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_cannot_write_serves_what_it_has_and_recovers() {
    survive(&ReadOnly, Arc::new(TempDir::new().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_on_a_full_disk_serves_what_it_has_and_recovers() {
    let folder = TempDir::new().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 1) else {
        println!("only root can mount a small file system: skipped");
        return;
    };
    let home = TempDir::new_in(folder.path()).unwrap();
    survive(&Full(disk), Arc::new(home)).await;
}
