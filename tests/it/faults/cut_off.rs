//! A gateway that reaches no traffic manager for a while.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::faults::site::{BINARY, Load, PLAN, Site, scale};
use crate::support::cut::Cut;
use crate::support::fleet::{Fleet, Reach};
use crate::support::postgres::Postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_cut_off_goes_on_serving_and_catches_up_when_healed() {
    let Some(postgres) = Postgres::start() else { return };
    let toml = postgres.database_toml();
    let mut fleet = Fleet::prepare(PLAN, &toml, &Reach::new());
    let (first, second) = (fleet.management_port("tm1"), fleet.management_port("tm2"));
    let ways = [Cut::to(first).await, Cut::to(second).await];
    fleet.configure(&toml, &Reach::from([(first, ways[0].port), (second, ways[1].port)]));
    fleet.start_all(BINARY).await;
    let site = Site::open(fleet, postgres).await;

    let tokens = scale(50, 5);
    let mut revoked = Vec::new();
    for _ in 0..tokens {
        revoked.push(site.token().await);
    }
    site.until_called("gw1", &revoked[0], 200).await;
    let load = Load::start(&site, &["gw1", "gw2"], 1);
    ways.iter().for_each(Cut::cut);
    let cut_at = Instant::now();
    let devportal = site.rest("dp1");
    for number in 0..scale(200, 10) {
        let body = json!({"name": format!("Cut{number}"), "throttlingPolicy": "Unlimited"});
        devportal.post("/api/am/devportal/v3/applications", &body).await.expect(201);
    }
    for token in &revoked {
        site.revoke(token).await;
    }
    // As long as promised, whatever the changes took.
    tokio::time::sleep_until((cut_at + Duration::from_secs(scale(30, 3))).into()).await;
    let before = site.applied("gw1").await;
    ways.iter().for_each(Cut::heal);
    let healed_at = Instant::now();
    let target = (before.0 + scale(200, 10), before.1 + scale(50, 5));
    crate::support::wait::eventually("both gateways applied everything", async || {
        let (one, other) = (site.applied("gw1").await, site.applied("gw2").await);
        (one >= target && other >= target).then_some(())
    })
    .await;
    let caught_up = healed_at.elapsed();
    for gateway in ["gw1", "gw2"] {
        for token in &revoked {
            site.until_called(gateway, token, 401).await;
        }
    }
    let (calls, failures) = load.finish().await;
    println!("everything applied {caught_up:?} after healing; {calls} calls meanwhile");
    assert!(failures.is_empty(), "{} of {calls} calls failed, e.g. {}", failures.len(), failures[0]);
}
