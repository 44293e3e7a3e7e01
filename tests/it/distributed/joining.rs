//! Start order, restarts, and keys that change.

use std::time::Duration;

use domain::{Clock, SystemClock};
use security::cluster::ClusterKeys;

use crate::support::Sandbox;
use crate::support::database::{DatabaseKind, Databases, postgres_is_there};
use crate::support::definitions::PIZZA;
use crate::support::nodes::{PROFILES, Ports, configure, mint, start_node, start_unready_node};
use crate::support::rest::{Credentials, Rest};
use crate::support::wait::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_may_start_in_any_order() {
    if !postgres_is_there() {
        return;
    }
    let (toml, _databases) = Databases::create(DatabaseKind::Postgres);
    let homes: Vec<_> = PROFILES.map(|profile| (profile, tempfile::tempdir().unwrap())).into();
    let keys = ClusterKeys::load_or_create(&homes[0].1.path().join("security/cluster"), SystemClock.now()).unwrap();
    let ports = Ports::reserve();
    let mut nodes = Vec::new();
    // Those that others depend on last.
    for (profile, home) in homes.iter().rev() {
        configure(home.path(), &format!("{}{toml}", ports.configuration(profile, &mint(&keys, profile))));
        nodes.push((profile, start_unready_node(home.path(), profile).await));
        let first_is_ready = nodes[0].1.ready().await;
        assert!(!first_is_ready || nodes.len() >= 4, "the devportal cannot be ready without the traffic manager");
    }
    for (profile, node) in &nodes {
        eventually(&format!("the {profile} is ready"), async || node.ready().await.then_some(())).await;
    }
    for (_, node) in nodes {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_restarts_and_serves_with_every_other_node_dead() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let pizza = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
    let keys = sandbox.subscriber().ready_to_call("App", &pizza.id, "Unlimited").await;
    sandbox.caller(&keys.token).wait_for("/pizza/1.0.0/menu", 200).await;
    let home = sandbox.nodes.home("gateway").to_owned();
    sandbox.nodes.stop().await;
    let gateway = start_node(&home, "gateway").await;
    let port = gateway.addresses().gateway.unwrap().https.port();
    let caller = |credentials| Rest::new(format!("https://localhost:{port}"), credentials);
    let known = caller(Credentials::Bearer(keys.token.clone()));
    known.get("/pizza/1.0.0/menu").await.expect(200);
    known.get("/pizza/1.0.0/nothing").await.expect(404);
    caller(Credentials::None).get("/pizza/1.0.0/menu").await.expect(401);
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_key_is_rotated_while_nodes_run_and_new_nodes_join_under_the_new_one() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let folder = sandbox.nodes.home("traffic-manager").join("security/cluster");
    assert_eq!(ClusterKeys::add_root(&folder).unwrap(), 2);
    let keys = ClusterKeys::load(&folder).unwrap().unwrap();
    let text = mint(&keys, "gateway");
    assert_eq!(keys.root().unwrap().id(), 2);
    // The traffic manager reads the folder again by itself; a node that comes too early tries until it has.
    let joined = sandbox.nodes.add_gateway_with(&text).await;
    let pizza = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
    assert!(!pizza.id.is_empty());
    joined.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_renew_what_they_joined_with_before_it_ends() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split_with("[cluster]\nnode_token_lifetime = \"3s\"\n").await;
    let stored = |sandbox: &Sandbox| {
        let file = sandbox.nodes.home("gateway").join("security/node.json");
        security::enrolment::Credentials::load(&file).unwrap().unwrap().issued_at
    };
    let first = stored(&sandbox);
    eventually("the gateway has renewed twice the life of its first token", async || {
        (stored(&sandbox).as_millis() > first.as_millis() + 6_000).then_some(())
    })
    .await;
    // Long after the first token's end everything still works.
    let pizza = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Unlimited"]).await;
    sandbox.subscriber().ready_to_call("App", &pizza.id, "Unlimited").await;
    sandbox.stop().await;
}

#[test]
fn a_token_for_one_node_lets_no_other_join() {
    let folder = tempfile::tempdir().unwrap();
    let keys = ClusterKeys::load_or_create(folder.path(), SystemClock.now()).unwrap();
    let roles = ["gateway".to_owned()];
    let day = Duration::from_secs(86_400);
    let token = keys.root().unwrap().mint_enrolment(&roles, Some("gw-1"), day, SystemClock.now()).unwrap();
    let narrowed = security::node_token::attenuate(&token, "tm", SystemClock.now()).unwrap();
    let mut public = security::node_token::RootPublicKeys::default();
    public.insert(1, &keys.root().unwrap().public_hex()).unwrap();
    let identity = security::node_token::verify(&narrowed, &public, "tm", "node-tokens", SystemClock.now()).unwrap();
    assert_eq!(identity.node_id.as_deref(), Some("gw-1"));
}
