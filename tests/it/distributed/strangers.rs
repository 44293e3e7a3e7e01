//! Who is no node of the cluster, or not the right one, is refused on every operation for nodes.

use std::time::Duration;

use domain::contract::event_bus::GatewayHeartbeat;
use domain::{Clock, Secret, SystemClock};
use http::guard::Access;
use http::routes::Routes;
use reqwest::Method;
use security::cluster::ClusterKeys;
use security::node_token::attenuate;
use serde_json::json;

use crate::support::Sandbox;
use crate::support::database::postgres_is_there;
use crate::support::rest::{Answer, Credentials, Rest};

const DAY: Duration = Duration::from_secs(86_400);

/// Every operation for nodes: the role that serves it, its path and its service.
fn operations() -> Vec<(&'static str, String, &'static str)> {
    let of = |role: &'static str, routes: Routes| {
        let base = routes.base();
        let specs: Vec<_> = routes.specs().cloned().collect();
        specs.into_iter().filter_map(move |spec| match spec.access {
            Access::Node(service) => Some((role, format!("{base}{}", spec.path), service)),
            _ => None,
        })
    };
    let hub = event_hub::rest::routes().into_iter().flat_map(|routes| of("traffic-manager", routes));
    hub.chain(of("key-manager", key_manager::internal_routes())).collect()
}

/// What the nodes of a cluster call each other with, made by hand.
struct Forge {
    keys: ClusterKeys,
    /// Fingerprints of the cluster certificates of the two callees.
    callees: [(&'static str, String); 2],
}

impl Forge {
    fn new(sandbox: &Sandbox) -> Self {
        let folder = sandbox.nodes.home("traffic-manager").join("security/cluster");
        let keys = ClusterKeys::load(&folder).unwrap().unwrap();
        let fingerprint = |role: &'static str| (role, sandbox.nodes.find(role).cluster_fingerprint().unwrap());
        Self { keys, callees: [fingerprint("traffic-manager"), fingerprint("key-manager")] }
    }

    fn callee(&self, role: &str) -> &str {
        &self.callees.iter().find(|(own, _)| *own == role).unwrap().1
    }

    fn other_callee(&self, role: &str) -> &str {
        &self.callees.iter().find(|(own, _)| *own != role).unwrap().1
    }

    fn node_token(&self, role: &str) -> Secret<String> {
        let now = SystemClock.now();
        self.keys.root().unwrap().mint_node(&[role.to_owned()], "somebody", DAY, now).unwrap()
    }
}

fn narrowed(token: &Secret<String>, callee: &str) -> Credentials {
    Credentials::Bearer(attenuate(token, callee, SystemClock.now()).unwrap().expose().clone())
}

async fn post(sandbox: &Sandbox, role: &str, path: &str, credentials: Credentials) -> Answer {
    let port = sandbox.nodes.addresses(role).management.port();
    let rest = Rest::new(format!("https://localhost:{port}"), credentials);
    Answer::of(rest.request(Method::POST, path).json(&json!({}))).await
}

/// A role whose nodes may not call the service.
fn role_without(service: &str) -> Option<&'static str> {
    match service {
        "event-hub" | "leases" | "user-store" => Some("devportal"),
        "key-manager" => Some("gateway"),
        // Every node renews its token.
        "node-tokens" => None,
        other => panic!("no service {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_for_nodes_refuses_who_is_none() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let forge = Forge::new(&sandbox);
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = ClusterKeys::load_or_create(elsewhere.path(), SystemClock.now()).unwrap();
    let operations = operations();
    assert!(operations.len() >= 10, "{operations:?}");
    for (role, path, service) in operations {
        let callee = forge.callee(role).to_owned();
        let (own, now) = (forge.node_token("gateway"), SystemClock.now());
        let of_another_cluster =
            elsewhere.root().unwrap().mint_node(&["gateway".to_owned()], "somebody", DAY, now).unwrap();
        let expired =
            forge.keys.root().unwrap().mint_node(&["gateway".to_owned()], "somebody", Duration::ZERO, now).unwrap();
        let people = sandbox.admin_rest().credentials.clone();
        let mut attempts = vec![
            ("no token", Credentials::None),
            ("a user's token", people),
            ("a user's password", sandbox.password_rest().credentials.clone()),
            ("no token at all", Credentials::Bearer("x".repeat(100))),
            ("a token that was not narrowed", Credentials::Bearer(own.expose().clone())),
            ("a token that another callee was given", narrowed(&own, forge.other_callee(role))),
            ("a token of another cluster", narrowed(&of_another_cluster, &callee)),
            ("an expired token", narrowed(&expired, &callee)),
        ];
        if let Some(other) = role_without(service) {
            attempts.push(("a token of another role", narrowed(&forge.node_token(other), &callee)));
        }
        let roles = ["gateway".to_owned()];
        let enrolment = forge.keys.root().unwrap().mint_enrolment(&roles, None, DAY, now).unwrap();
        if service != "node-tokens" {
            attempts.push(("an enrolment token", narrowed(&enrolment, &callee)));
        }
        for (what, credentials) in attempts {
            let answer = post(&sandbox, role, &path, credentials).await;
            assert_eq!(answer.status, 401, "{path} with {what}: {}", answer.text);
        }
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_speaks_for_itself_only() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let forge = Forge::new(&sandbox);
    let callee = forge.callee("traffic-manager").to_owned();
    let port = sandbox.nodes.addresses("traffic-manager").management.port();
    let rest = Rest::new(format!("https://localhost:{port}"), narrowed(&forge.node_token("gateway"), &callee));
    let beat = |gateway_id: &str| {
        let (gateway_id, environments) = (gateway_id.to_owned(), vec!["Default".to_owned()]);
        serde_json::to_value(GatewayHeartbeat { gateway_id, environments, control: 0, revocation: 0 }).unwrap()
    };
    rest.post("/internal/hub/v1/heartbeat", &beat("another")).await.expect(403);
    rest.post("/internal/hub/v1/heartbeat", &beat("somebody")).await.expect(200);
    let renewal =
        |node_id: &str, roles: &[&str]| json!({"node_id": node_id, "roles": roles, "certificate_request": "x"});
    rest.post("/internal/nodes/v1/enrol", &renewal("another", &["gateway"])).await.expect(403);
    rest.post("/internal/nodes/v1/enrol", &renewal("somebody", &["gateway", "key-manager"])).await.expect(403);
    let refused = rest.post("/internal/nodes/v1/enrol", &renewal("somebody", &["gateway"])).await.expect(400);
    assert!(refused.text.contains("certificate_request"), "{}", refused.text);
    sandbox.stop().await;
}
