//! Every node is restarted in turn behind a load balancer, as in an upgrade: the log has changes of the next release, and the
//! gateways find what the release before left.

use crate::faults::site::{BINARY, Load, Site, Writer, assert_served, scale};
use crate::support::haproxy::Haproxy;
use crate::support::next_release::{MAKE_OLDER, unknown_change};
use crate::support::rest::{Answer, client};
use crate::support::sqlite::execute;
use crate::support::wait::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_of_every_node_fails_no_call() {
    let Some(mut site) = Site::start().await else { return };
    let server = |name: &str| (site.fleet.gateway_port(name), site.fleet.management_port(name));
    let Some(haproxy) = Haproxy::start(&[server("gw1"), server("gw2")]) else {
        println!("skipped: HAProxy is not installed (make test and make chaos install it)");
        return;
    };
    let url = format!("{}/pizza/1.0.0/menu", haproxy.url());
    eventually("the load balancer answers", async || {
        let answer = Answer::try_of(client().get(&url).bearer_auth(&site.keys.token)).await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
    let load = Load::over(&[url], &site.keys.token, 4);
    let writer = Writer::start(site.rest("pub1"));
    for round in 0..scale(5, 1) {
        site.postgres.execute(&format!("BEGIN; {} COMMIT;", unknown_change(round)));
        for name in ["tm1", "tm2", "km1", "dp1", "pub1", "gw1", "gw2"] {
            load.until_more(scale(2_000, 50)).await;
            site.fleet.terminate(name).await;
            load.until_more(scale(2_000, 50)).await;
            if name.starts_with("gw") {
                execute(&site.fleet.home(name).join("db/carbon.db"), MAKE_OLDER);
            }
            site.fleet.launch(BINARY, name);
            site.fleet.until_ready(name).await;
        }
    }
    writer.until_more(2).await;
    let written = writer.finish().await;
    for gateway in ["gw1", "gw2"] {
        assert_served(&site, gateway, &written).await;
    }
    let (calls, failures) = load.finish().await;
    println!("{calls} calls through the load balancer, {} failed", failures.len());
    assert!(failures.is_empty(), "{} of {calls} calls failed, e.g. {}", failures.len(), failures[0]);
}
