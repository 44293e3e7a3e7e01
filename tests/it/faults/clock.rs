//! The clocks of nodes jump by five minutes, and back.

use crate::faults::site::{BINARY, Load, PLAN, Site, Writer, assert_served, scale};
use crate::support::faketime;
use crate::support::fleet::{Fleet, Reach};
use crate::support::postgres::Postgres;
use crate::support::rest::client;
use crate::support::wait::eventually;

/// In seconds.
const JUMP: i64 = 300;

/// Waits until the node's own time is about so many seconds off, as its answers tell it.
async fn until_off(site: &Site, name: &str, seconds: i64) {
    let url = format!("{}/health/live", site.fleet.management_url(name));
    eventually(&format!("the clock of {name} is off by {seconds} s"), async || {
        let answer = client().get(&url).send().await.ok()?;
        let told = httpdate::parse_http_date(answer.headers().get("date")?.to_str().ok()?).ok()?;
        let (told, now) = (seconds_of(told), seconds_of(std::time::SystemTime::now()));
        ((told - now - seconds).abs() < JUMP / 2).then_some(())
    })
    .await;
}

fn seconds_of(time: std::time::SystemTime) -> i64 {
    i64::try_from(time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_jump_five_minutes_either_way_fail_no_call_and_revive_no_token() {
    let (Some(library), Some(postgres)) = (faketime::library(), Postgres::start()) else {
        println!("skipped: libfaketime or PostgreSQL is not installed (make test and make chaos install them)");
        return;
    };
    let mut fleet = Fleet::prepare(PLAN, &postgres.database_toml(), &Reach::new());
    fleet.fake_clocks(library);
    fleet.start_all(BINARY).await;
    let site = Site::open(fleet, postgres).await;
    let gateways = ["gw1", "gw2"];
    let revoked = site.token().await;
    site.revoke(&revoked).await;
    for gateway in gateways {
        site.until_called(gateway, &revoked, 401).await;
    }
    let load = Load::start(&site, &gateways, 1);
    let writer = Writer::start(site.rest("pub1"));
    writer.until_more(2).await;
    for name in scale(&["tm1", "tm2", "km1", "pub1", "dp1", "gw1", "gw2"][..], &["tm1", "km1", "gw1"][..]) {
        for jump in [JUMP, -JUMP] {
            site.fleet.set_clock(name, jump);
            until_off(&site, name, jump).await;
            load.until_more(scale(2_000, 50)).await;
            // What everybody issues and refuses holds, whoever's clock is wrong.
            let fresh = site.token().await;
            for gateway in gateways {
                site.until_called(gateway, &fresh, 200).await;
                site.until_called(gateway, &revoked, 401).await;
            }
            site.fleet.set_clock(name, 0);
            until_off(&site, name, 0).await;
            site.fleet.until_ready(name).await;
            writer.until_more(1).await;
        }
    }
    let written = writer.finish().await;
    for gateway in gateways {
        assert_served(&site, gateway, &written).await;
        site.until_called(gateway, &revoked, 401).await;
    }
    let (calls, failures) = load.finish().await;
    println!("{calls} calls while clocks jumped, {} failed; {} deployments, all served", failures.len(), written.len());
    assert!(failures.is_empty(), "{} of {calls} calls failed, e.g. {}", failures.len(), failures[0]);
}
