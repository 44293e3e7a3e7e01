//! `gatewright seed`: what it makes is what the REST APIs make.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::on_both_databases;
use crate::support::Sandbox;

/// Beside the sandbox's node, which holds the home.
async fn seed(sandbox: &Sandbox, numbers: [u32; 4]) -> Output {
    fn run(home: &Path, numbers: [u32; 4]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright"));
        command.arg("--home").arg(home).arg("seed");
        for (flag, number) in ["--apis", "--applications", "--subscriptions", "--seed"].into_iter().zip(numbers) {
            command.arg(flag).arg(number.to_string());
        }
        command.output().unwrap()
    }
    let home = sandbox.home().to_owned();
    tokio::task::spawn_blocking(move || run(&home, numbers)).await.unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

on_both_databases! {
    async fn seeded_things_are_listed_searched_subscribed_and_deployed(sandbox) {
        let made = lines(&seed(sandbox, [30, 3, 40, 7]).await);
        assert_eq!(
            made,
            ["seed 7", "APIs 30 made, 0 were there", "applications 3 made, 0 were there", "subscriptions 40 made, 0 were there"]
        );
        let (publisher, subscriber) = (sandbox.publisher(), sandbox.subscriber());
        let list = publisher.get("/apis?limit=100").await.expect(200).json();
        assert_eq!((&list["count"], &list["pagination"]["total"]), (&json!(30), &json!(30)));
        let published = publisher.get("/apis?query=status:published").await.expect(200).json();
        let api = &published["list"][0];
        let query = format!("/search?query=name:%22{}%22%20version:%22{}%22", api["name"].as_str().unwrap(), api["version"].as_str().unwrap());
        assert_eq!(publisher.get(&query).await.expect(200).json()["count"], 1);
        assert!(subscriber.get("/tags").await.expect(200).json()["count"].as_u64().unwrap() > 5);
        let applications = subscriber.get("/applications").await.expect(200).json();
        let counts = applications["list"].as_array().unwrap().iter().map(|own| own["subscriptionCount"].as_u64().unwrap());
        // With the one that everybody starts with.
        assert_eq!((applications["count"].as_u64(), counts.sum::<u64>()), (Some(4), 40));
        let id = api["id"].as_str().unwrap();
        let history = publisher.get(&format!("/apis/{id}/lifecycle-history")).await.expect(200).json();
        assert_eq!(history["count"], 2);
        let whole = publisher.get(&format!("/apis/{id}")).await.expect(200).json();
        publisher.put(&format!("/apis/{id}"), &whole).await.expect(200);
        let revision = publisher.create_revision(id).await;
        publisher.deploy(id, &revision).await.expect(201);
    }

    async fn a_second_run_adds_only_what_is_missing(sandbox) {
        lines(&seed(sandbox, [10, 2, 5, 1]).await);
        let again = lines(&seed(sandbox, [10, 2, 5, 1]).await);
        assert_eq!(again[1..], ["APIs 0 made, 10 were there", "applications 0 made, 2 were there", "subscriptions 0 made, 5 were there"]);
        assert_eq!(lines(&seed(sandbox, [15, 2, 0, 1]).await)[1], "APIs 5 made, 10 were there");
        assert_eq!(lines(&seed(sandbox, [10, 0, 0, 2]).await)[1], "APIs 10 made, 0 were there");
        let refused = seed(sandbox, [10, 2, 1000, 1]).await;
        assert!(!refused.status.success());
        let reason = String::from_utf8_lossy(&refused.stderr);
        assert!(reason.contains("subscriptions: must be at most"), "{reason}");
    }
}
