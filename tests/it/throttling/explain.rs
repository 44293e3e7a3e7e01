//! `gatewright throttle explain` beside running nodes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::on_every_topology;
use crate::support::Sandbox;
use crate::support::actors::policy;
use crate::support::definitions::PIZZA;
use crate::support::eventually;
use crate::support::nodes::Topology;

/// Runs the command in the home of the node that plays `role`, with the port at which it really listens.
async fn explain(sandbox: &Sandbox, role: &str, arguments: &[&str]) -> Output {
    fn run(home: &Path, profile: &str, port: u16, arguments: &[String]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gatewright"))
            .env("GATEWRIGHT__SERVER__MANAGEMENT_PORT", port.to_string())
            .args(["--profile", profile, "--home"])
            .arg(home)
            .args(["throttle", "explain"])
            .args(arguments)
            .output()
            .unwrap()
    }
    let is_split = sandbox.nodes.topology() == Topology::Split;
    let profile = if is_split { role.to_owned() } else { "all-in-one".to_owned() };
    let (home, port): (PathBuf, u16) =
        (sandbox.nodes.home(role).to_owned(), sandbox.nodes.addresses(role).management.port());
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || run(&home, &profile, port, &arguments)).await.unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn value(output: &Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

on_every_topology! {
    async fn each_level_of_a_subscription_is_told_to_an_operator(sandbox) {
        let (publisher, subscriber, admin) = (sandbox.publisher(), sandbox.subscriber(), sandbox.admin());
        admin.create_policy("subscription", "Five", 5).await;
        admin.create_policy("application", "Fifty", 50).await;
        admin.create_policy("advanced", "Thousand", 1_000).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Five"]).await;
        let mut changed = publisher.get(&format!("/apis/{}", api.id)).await.expect(200).json();
        changed["apiThrottlingPolicy"] = json!("Thousand");
        publisher.put(&format!("/apis/{}", api.id), &changed).await.expect(200);
        let revision = publisher.create_revision(&api.id).await;
        publisher.deploy(&api.id, &revision).await.expect(201);
        publisher.wait_until_deployed(&api.id).await;
        let application = subscriber.create_application("Phone", "Fifty").await;
        let subscription = subscriber.subscribe(&application, &api.id, "Five").await.expect(201).field("subscriptionId");
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let (caller, menu) = (sandbox.caller(&keys.token), format!("{}/menu", api.context));
        caller.wait_for(&menu, 200).await;
        for _ in 1..5 {
            assert_eq!(caller.get(&menu).await.status, 200);
        }
        assert_eq!(caller.get(&menu).await.status, 429);
        let by_subscription = ["--subscription", subscription.as_str(), "--user", "admin", "--json"];
        let levels = eventually("gateways have told what they hold", async || {
            let levels = value(&explain(sandbox, "devportal", &by_subscription).await);
            let told: Vec<&Value> = levels.as_array().unwrap().iter().map(|level| &level["used"]).collect();
            (told == [5, 5, 5]).then_some(levels.clone())
        })
        .await;
        let names: Vec<&Value> = levels.as_array().unwrap().iter().map(|level| &level["level"]).collect();
        assert_eq!(names, ["api", "subscription", "application"]);
        let own = &levels[1];
        assert_eq!([&own["limit"], &own["remaining"], &own["isRefused"]], [&json!(5), &json!(0), &json!(true)]);
        assert_eq!(own["refusedUntil"], own["windowEnd"]);
        assert!(own["owner"].is_string() && own["epoch"].as_u64().unwrap() > 0 && own["slot"].is_u64(), "{own}");
        assert_eq!([&levels[0]["isRefused"], &levels[2]["isRefused"]], [&json!(false), &json!(false)]);
        let shown = text(&explain(sandbox, "traffic-manager", &["--subscription", &subscription]).await);
        assert!(shown.contains("subscription quota: policy Five, 5 calls per year"), "{shown}");
        assert!(shown.contains("5 of 5 calls used, 0 lent to gateways, 0 remain"), "{shown}");
        assert!(shown.contains("REFUSED  every call until ") && shown.contains("  owner    "), "{shown}");
        let by_application = ["--application", application.as_str(), "--user", "admin@carbon.super", "--json"];
        assert_eq!(value(&explain(sandbox, "publisher", &by_application).await)[0]["key"], levels[2]["key"]);
        // A gateway has no database, but may ask.
        let key = own["key"].as_str().unwrap();
        let by_key = value(&explain(sandbox, "gateway", &["--key", key, "--json"]).await);
        assert_eq!([&by_key[0]["used"], &by_key[0]["owner"]], [&json!(5), &own["owner"]]);
    }

    async fn a_window_that_is_not_open_yet_and_the_tenants_calendar_are_told(sandbox) {
        let (publisher, subscriber, admin) = (sandbox.publisher(), sandbox.subscriber(), sandbox.admin());
        admin.put("/tenant-config", &json!({"TimeZone": "Europe/Berlin"})).await.expect(200);
        let mut five = policy("subscription", "Five", 5);
        five["defaultLimit"]["window"] = json!("first-request");
        admin.post("/throttling/policies/subscription", &five).await.expect(201);
        admin.create_policy("application", "Fifty", 50).await;
        let api = publisher.publish(PIZZA, "Pizza", "/pizza", &["Five"]).await;
        let application = subscriber.create_application("Phone", "Fifty").await;
        let subscription = subscriber.subscribe(&application, &api.id, "Five").await.expect(201).field("subscriptionId");
        let named = ["--subscription", subscription.as_str(), "--user", "admin"];
        let shown = text(&explain(sandbox, "devportal", &named).await);
        for part in [
            "subscription quota: policy Five, 5 calls per year from first request",
            "0 of 5 calls used, 0 lent to gateways, 5 remain",
            "window   no window is open: the next call opens one",
            "(by the calendar of Europe/Berlin)",
        ] {
            assert!(shown.contains(part), "no '{part}' in {shown}");
        }
        let keys = subscriber.generate_keys(&application, "PRODUCTION").await;
        let (caller, menu) = (sandbox.caller(&keys.token), format!("{}/menu", api.context));
        caller.wait_for(&menu, 200).await;
        let levels = eventually("gateways have told what they hold", async || {
            let levels = value(&explain(sandbox, "devportal", &[named.as_slice(), &["--json"]].concat()).await);
            (levels[0]["used"] == 1 && levels[1]["used"] == 1).then_some(levels)
        })
        .await;
        assert_eq!([&levels[0]["windowKind"], &levels[0]["isWindowOpen"]], [&json!("first-request"), &json!(true)]);
        assert_eq!([&levels[1]["windowKind"], &levels[1]["timeZone"]], [&json!("aligned"), &json!("Europe/Berlin")]);
        assert!(levels[1]["windowEnd"].as_str().unwrap().ends_with("-12-31T23:00:00.000Z"), "{levels}");
    }

    async fn what_cannot_be_explained_is_refused_with_the_reason(sandbox) {
        let unknown = "00000000-0000-4000-8000-000000000000";
        for (arguments, reason) in [
            (["--subscription", unknown].as_slice(), "there is no subscription"),
            (&["--application", unknown, "--user", "bob"], "there is no application"),
            (&["--key", "pizza"], "is no throttle key"),
            (&["--application", unknown], "--user"),
            (&[], "name what to explain"),
        ] {
            let refused = refusal(&explain(sandbox, "devportal", arguments).await);
            assert!(refused.contains(reason), "{arguments:?}: {refused}");
        }
        if sandbox.nodes.topology() == Topology::Split {
            let refused = refusal(&explain(sandbox, "gateway", &["--subscription", unknown]).await);
            assert!(refused.contains("use --key"), "{refused}");
            sandbox.nodes.stop_one("traffic-manager").await;
            let refused = refusal(&explain(sandbox, "devportal", &["--key", &format!("app:{unknown}:bob@carbon.super")]).await);
            assert!(refused.contains("is a traffic manager running?"), "{refused}");
        }
    }
}
