//! kill -9 of each role in turn, and of the database, under load from publishers and callers; and nodes that hang.

use crate::faults::site::{BINARY, Load, Site, Writer, assert_served, scale};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_each_role_and_the_database_in_turn_fails_no_call_and_loses_no_write() {
    let Some(mut site) = Site::start().await else { return };
    let per_phase = scale(24_000, 150);
    let load = Load::start(&site, &["gw1", "gw2"], 2);
    let writer = Writer::start(site.rest("pub1"));
    writer.until_more(3).await;
    for victim in ["tm1", "tm2", "km1", "dp1", "pub1"] {
        site.fleet.kill(victim);
        load.until_more(per_phase).await;
        site.fleet.launch(BINARY, victim);
        site.fleet.until_ready(victim).await;
        load.until_more(per_phase / 2).await;
    }
    site.postgres.kill();
    load.until_more(per_phase).await;
    site.postgres.launch();
    for node in ["tm1", "tm2", "km1", "dp1", "pub1"] {
        site.fleet.until_ready(node).await;
    }
    writer.until_more(3).await;
    let written = writer.finish().await;
    for gateway in ["gw1", "gw2"] {
        assert_served(&site, gateway, &written).await;
    }
    let (calls, failures) = load.finish().await;
    println!("{calls} calls, {} failed; {} deployments acknowledged, all served", failures.len(), written.len());
    assert!(failures.is_empty(), "{} of {calls} calls failed, e.g. {}", failures.len(), failures[0]);
    assert!(calls >= scale(200_000, 1_000), "only {calls} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_converge_to_the_database_however_a_publisher_dies() {
    let Some(mut site) = Site::start().await else { return };
    let writer = Writer::start(site.rest("pub1"));
    for _ in 0..scale(200, 6) {
        writer.until_more(1).await;
        site.fleet.kill("pub1");
        site.fleet.launch(BINARY, "pub1");
        site.fleet.until_ready("pub1").await;
    }
    let written = writer.finish().await;
    for gateway in ["gw1", "gw2"] {
        assert_served(&site, gateway, &written).await;
    }
    // What the database wishes is what both gateways acknowledged, by the hash of what they serve.
    let publisher = site.rest("pub1");
    let mut offset = 0;
    loop {
        let page =
            publisher.get(&format!("/api/am/publisher/v4/apis?limit=100&offset={offset}")).await.expect(200).json();
        let apis = page["list"].as_array().unwrap().clone();
        for api in &apis {
            let id = api["id"].as_str().unwrap();
            crate::support::wait::eventually(&format!("both gateways agree on {id}"), async || {
                let path = format!("/api/am/publisher/v4/apis/{id}/deployments");
                let deployments = publisher.get(&path).await.expect(200).json();
                let agree = deployments["list"].as_array().unwrap().iter().all(|deployment| {
                    deployment["deploymentState"] == "DEPLOYED" && deployment["liveGatewayCount"] == 2
                });
                agree.then_some(())
            })
            .await;
        }
        offset += apis.len();
        if apis.len() < 100 {
            break;
        }
    }
    println!("{offset} APIs, {} deployments acknowledged between kills, all served", written.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_managers_that_hang_in_turn_hold_up_no_change() {
    let Some(site) = Site::start().await else { return };
    let load = Load::start(&site, &["gw1", "gw2"], 1);
    let writer = Writer::start(site.rest("pub1"));
    for round in 0..scale(10, 1) {
        for name in ["tm1", "tm2"] {
            let token = site.token().await;
            site.until_called("gw1", &token, 200).await;
            site.fleet.freeze(name);
            site.revoke(&token).await;
            writer.until_more(2).await;
            for gateway in ["gw1", "gw2"] {
                site.until_called(gateway, &token, 401).await;
            }
            load.until_more(50).await;
            site.fleet.thaw(name);
            println!("round {round}: {name} hung");
        }
    }
    let written = writer.finish().await;
    for gateway in ["gw1", "gw2"] {
        assert_served(&site, gateway, &written).await;
    }
    let (calls, failures) = load.finish().await;
    assert!(failures.is_empty(), "{} of {calls} calls failed, e.g. {}", failures.len(), failures[0]);
}
