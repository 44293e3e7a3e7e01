//! The disk of a gateway is full, or holds noise; see `carbon_store` for what happens inside.

use crate::faults::site::{BINARY, Load, PLAN, Site, Writer, assert_served, scale};
use crate::support::fleet::{Fleet, Reach};
use crate::support::noise::scribble;
use crate::support::postgres::Postgres;
use crate::support::rest::client;
use crate::support::small_disk::SmallDisk;
use crate::support::wait::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_disk_is_full_serves_what_it_has_says_so_and_catches_up() {
    let Some(postgres) = Postgres::start() else { return };
    let toml = postgres.database_toml();
    let mut fleet = Fleet::prepare(PLAN, &toml, &Reach::new());
    let Some(disk) = SmallDisk::mount(fleet.home("gw1"), 8) else {
        println!("skipped: only root can mount a small file system");
        return;
    };
    fleet.configure(&toml, &Reach::new());
    fleet.start_all(BINARY).await;
    let mut site = Site::open(fleet, postgres).await;
    let revoked = site.token().await;
    site.until_called("gw1", &revoked, 200).await;
    let load = Load::start(&site, &["gw1", "gw2"], 1);
    for round in 0..scale(5, 1) {
        disk.fill();
        let writer = Writer::start_as(site.rest("pub1"), &format!("round{round}written"));
        eventually("the gateway says why changes cannot be stored", async || {
            let report = site.report("gw1").await;
            report.contains("changes cannot be stored").then_some(())
        })
        .await;
        if round == 0 {
            site.revoke(&revoked).await;
        }
        site.until_called("gw1", &revoked, 401).await;
        writer.until_more(2).await;
        let written = writer.finish().await;
        assert_served(&site, "gw2", &written).await;
        load.until_more(50).await;
        disk.free();
        assert_served(&site, "gw1", &written).await;
        site.fleet.until_ready("gw1").await;
        assert!(!site.report("gw1").await.contains("cannot be stored"));
    }
    let (calls, failures) = load.finish().await;
    println!("{calls} calls while the disk was full, {} failed", failures.len());
    assert!(failures.is_empty(), "{} of {calls} calls failed, e.g. {}", failures.len(), failures[0]);
    // Started on the full disk it serves what it has, or gives up; a service manager needs nobody to start it again.
    site.fleet.kill("gw1");
    disk.fill();
    site.fleet.launch(BINARY, "gw1");
    let live = format!("{}/health/live", site.fleet.management_url("gw1"));
    let is_up = eventually("the gateway is up or has given up", async || {
        if site.fleet.has_ended("gw1") {
            return Some(false);
        }
        client().get(&live).send().await.is_ok().then_some(true)
    })
    .await;
    println!("on a full disk the gateway {}", if is_up { "starts" } else { "does not start" });
    if is_up {
        site.until_called("gw1", &site.keys.token, 200).await;
    }
    disk.free();
    if !is_up {
        site.fleet.launch(BINARY, "gw1");
    }
    site.fleet.until_ready("gw1").await;
    site.until_called("gw1", &site.keys.token, 200).await;
    site.until_called("gw1", &revoked, 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_with_noise_in_its_last_good_state_starts_and_serves_the_right_thing() {
    let Some(mut site) = Site::start().await else { return };
    let writer = Writer::start(site.rest("pub1"));
    writer.until_more(3).await;
    let written = writer.finish().await;
    assert_served(&site, "gw1", &written).await;
    for seed in 0..scale(50, 3) {
        site.fleet.kill("gw1");
        scribble(&site.fleet.home("gw1").join("db/carbon.db"), seed);
        site.fleet.launch(BINARY, "gw1");
        site.fleet.until_ready("gw1").await;
        assert_served(&site, "gw1", &written).await;
        site.until_called("gw1", &site.keys.token, 200).await;
    }
}
