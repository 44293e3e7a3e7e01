//! `gatewright throttle simulate` on the log of a real gateway: it refuses what the gateway refused.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::actors::{Admin, Caller, Publisher, Subscriber};
use crate::support::backend::Backend;
use crate::support::definitions::PIZZA;
use crate::support::eventually;
use crate::support::process::Process;
use crate::support::rest::{Credentials, Rest};
use crate::support::sandbox::{FREE_PORTS, administrator_token, configure};

fn simulate(policy: &Path, trace: &Path, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(["throttle", "simulate", "--policy"])
        .arg(policy)
        .arg("--trace")
        .arg(trace)
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn report(policy: &Path, trace: &Path) -> Value {
    serde_json::from_str(&simulate(policy, trace, &["--json"])).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_refuses_what_the_gateway_refused_under_the_same_policy() {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), FREE_PORTS);
    let (place, log) = (home.path().to_owned(), home.path().join("gateway.log"));
    let file = log.clone();
    let node = tokio::task::spawn_blocking(move || Process::start_logging(&place, &[], &file)).await.unwrap();
    let backend = Backend::start().await;
    let token = administrator_token(&node.management_url, "admin").await;
    let rest = Rest::new(&node.management_url, Credentials::Bearer(token));
    let publisher = Publisher { rest: rest.clone(), backend_url: backend.url() };
    let (subscriber, admin) = (Subscriber { rest: rest.clone() }, Admin { rest });
    let id = admin.create_policy("subscription", "Ten", 10).await;
    let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Ten"]).await;
    let keys = subscriber.ready_to_call("Phone", &api.id, "Ten").await;
    let gateway = Rest::new(&node.gateway_url, Credentials::Bearer(keys.token.clone()));
    let (caller, menu) = (Caller { rest: gateway }, format!("{}/menu", api.context));
    caller.wait_for(&menu, 200).await;
    let mut refused = 0;
    for _ in 0..14 {
        refused += u64::from(caller.get(&format!("{menu}?secret=query")).await.status == 429);
    }
    assert_eq!(refused, 5);
    caller.with(Credentials::None).get(&menu).await.expect(401);
    // Lines are written when answers are out.
    let lines = eventually("all calls are logged", async || {
        let lines = std::fs::read_to_string(&log).unwrap();
        (lines.lines().filter(|line| line.contains("\"policy.subscription\":\"Ten\"")).count() >= 15).then_some(lines)
    })
    .await;
    assert!(!lines.contains(&keys.token) && !lines.contains("secret=query"), "the log tells secrets");
    let file = home.path().join("policy.json");
    let exported = admin.get(&format!("/throttling/policies/export?policyId={id}")).await.expect(200);
    std::fs::write(&file, &exported.text).unwrap();
    let same = report(&file, &log);
    assert_eq!([&same["calls"]["admitted"], &same["calls"]["refused"]], [&json!(10), &json!(5)]);
    let application = &keys.application_id;
    assert_eq!(same["keys"][0]["key"], format!("sub:{application}:{}:1.0.0:Ten", api.context));
    assert!(
        same["trace"]["withoutQuota"].as_u64().unwrap() >= 1 && same["trace"]["notCalls"].as_u64().unwrap() > 0,
        "{same}"
    );
    let mut draft = admin.get(&format!("/throttling/policies/subscription/{id}")).await.expect(200).json();
    draft["defaultLimit"]["requestCount"]["requestCount"] = json!(4);
    std::fs::write(&file, draft.to_string()).unwrap();
    let listed = simulate(&file, &log, &["--list"]);
    assert_eq!(listed.lines().filter(|line| line.contains("  refused until ")).count(), 11, "{listed}");
    assert!(listed.contains("4 admitted, 11 refused"), "{listed}");
    std::fs::write(&file, "{\"policyName\": \"Ten\"}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(["throttle", "simulate", "--trace", "/dev/null", "--policy"])
        .arg(&file)
        .output()
        .unwrap();
    let reason = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && reason.contains("'type' must be"), "{reason}");
}
