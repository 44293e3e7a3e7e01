//! kill -9 at random moments, right after acknowledged writes: nothing acknowledged is lost, and what was deployed is
//! served after the restart.

use serde_json::json;
use tokio::sync::watch;

use crate::support::process::Process;
use crate::support::rest::{Answer, Credentials, Rest, client};
use crate::support::sandbox::{FREE_PORTS, administrator_token, configure};
use crate::support::wait::eventually;

const KILLS: usize = 50;

/// What the node acknowledged.
#[derive(Default)]
struct Acknowledged {
    created: Vec<String>,
    /// Contexts.
    deployed: Vec<String>,
}

/// A number that differs from round to round and run to run, without a crate for it.
fn random(below: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8) % below
}

/// Creates and deploys APIs until the node is gone; notes and counts every acknowledgement.
async fn publish_until_killed(rest: Rest, round: usize, writes: watch::Sender<u64>) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for number in 0.. {
        let context = format!("/k{round}x{number}");
        if publish_one(&rest, &context, &mut acknowledged, &writes).await.is_none() {
            break;
        }
    }
    acknowledged
}

/// `None` when the node died in the middle.
async fn publish_one(
    rest: &Rest,
    context: &str,
    acknowledged: &mut Acknowledged,
    writes: &watch::Sender<u64>,
) -> Option<()> {
    let post = async |path: String, body: serde_json::Value| {
        let request = rest.request(reqwest::Method::POST, &format!("/api/am/publisher/v4{path}")).json(&body);
        let answer = Answer::try_of(request).await.ok()?.expect(201);
        writes.send_modify(|count| *count += 1);
        Some(answer)
    };
    let body = json!({"name": context.trim_start_matches('/'), "version": "1.0.0", "context": context});
    let id = post("/apis".to_owned(), body).await?.field("id");
    acknowledged.created.push(id.clone());
    let revision = post(format!("/apis/{id}/revisions"), json!({})).await?.field("id");
    let deploy = format!("/apis/{id}/deploy-revision?revisionId={revision}");
    post(deploy, json!([{"name": "Default", "vhost": "localhost"}])).await?;
    acknowledged.deployed.push(context.to_owned());
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_in_fifty_kills() {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), FREE_PORTS);
    let mut all = Acknowledged::default();
    let start = || {
        let home = home.path().to_owned();
        tokio::task::spawn_blocking(move || Process::start(&home, &[]))
    };
    let mut node = start().await.unwrap();
    let admin = Credentials::Bearer(administrator_token(&node.management_url, "admin").await);
    for round in 0..KILLS {
        let (writes, mut written) = watch::channel(0);
        let rest = Rest::new(node.management_url.clone(), admin.clone());
        let publisher = tokio::spawn(publish_until_killed(rest, round, writes));
        // Right after an acknowledged write, with the next one on its way.
        let fatal = 3 + random(6);
        written.wait_for(|count| *count >= fatal).await.unwrap();
        node.kill();
        let acknowledged = publisher.await.unwrap();
        all.created.extend(acknowledged.created);
        all.deployed.extend(acknowledged.deployed);
        node = start().await.unwrap();
        let rest = Rest::new(node.management_url.clone(), admin.clone());
        for id in all.created.iter().rev().take(3) {
            rest.get(&format!("/api/am/publisher/v4/apis/{id}")).await.expect(200);
        }
        for context in all.deployed.iter().rev().take(3) {
            assert_served(&node.gateway_url, context).await;
        }
    }
    assert!(all.deployed.len() >= KILLS, "only {} deployments in {KILLS} rounds", all.deployed.len());
    let rest = Rest::new(node.management_url.clone(), admin);
    for id in &all.created {
        rest.get(&format!("/api/am/publisher/v4/apis/{id}")).await.expect(200);
    }
    for context in &all.deployed {
        assert_served(&node.gateway_url, context).await;
    }
    assert_eq!(node.terminate(), Some(0));
}

/// A served API asks for a token; one that the gateway does not know is 404.
async fn assert_served(gateway_url: &str, context: &str) {
    eventually(&format!("{context} is served"), async || {
        let answer = Answer::of(client().get(format!("{gateway_url}{context}/1.0.0/x"))).await;
        (answer.status == 401).then_some(())
    })
    .await;
}
