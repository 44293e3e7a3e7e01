//! The lease protocol: quotas over several gateways, and who is let in.

use std::time::Duration;

use domain::internal_api::leases::{self, HEADER_BYTES, Hello, VERSION, Welcome};
use domain::{Clock, SystemClock};
use security::cluster::ClusterKeys;
use security::node_token::attenuate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Sandbox;
use crate::support::database::postgres_is_there;
use crate::support::definitions::PIZZA;
use crate::support::rest::{Credentials, Rest};

const LIMIT: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_together_admit_exactly_the_limit() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let second = sandbox.nodes.add_gateway().await;
    sandbox.admin().create_policy("subscription", "Twenty", LIMIT).await;
    let pizza = sandbox.publisher().publish(PIZZA, "Pizza", "/pizza", &["Twenty"]).await;
    let keys = sandbox.subscriber().ready_to_call("App", &pizza.id, "Twenty").await;
    let port = second.addresses().gateway.unwrap().https.port();
    let other = Rest::new(format!("https://localhost:{port}"), Credentials::Bearer(keys.token.clone()));
    let first = sandbox.caller(&keys.token);
    // Until the subscription has arrived everywhere, a call is refused and counts nowhere.
    let mut admitted = 0;
    for gateway in [&first.rest, &other] {
        crate::support::wait::eventually("the gateway knows the subscription", async || {
            (gateway.get("/pizza/1.0.0/menu").await.status == 200).then_some(())
        })
        .await;
        admitted += 1;
    }
    for _ in 0..LIMIT {
        let (one, two) = tokio::join!(first.get("/pizza/1.0.0/menu"), other.get("/pizza/1.0.0/menu"));
        admitted += [one, two].iter().filter(|answer| answer.status == 200).count() as u64;
    }
    assert_eq!(admitted, LIMIT);
    let refused = first.get("/pizza/1.0.0/menu").await.expect(429);
    assert!(refused.text.contains("900804"), "{}", refused.text);
    second.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_ports_let_nobody_in_without_a_gateways_token() {
    if !postgres_is_there() {
        return;
    }
    let mut sandbox = Sandbox::split().await;
    let node = sandbox.nodes.find("traffic-manager");
    let [_, plain] = node.addresses().leases.unwrap();
    let keys = ClusterKeys::load(&sandbox.nodes.home("traffic-manager").join("security/cluster")).unwrap().unwrap();
    let callee = node.cluster_fingerprint().unwrap();
    let now = SystemClock.now();
    let day = Duration::from_secs(86_400);
    let minted = |role: &str| keys.root().unwrap().mint_node(&[role.to_owned()], "somebody", day, now).unwrap();
    let narrowed = |role: &str, callee: &str| attenuate(&minted(role), callee, now).unwrap().expose().clone();
    let hello = async |version: u32, token: String| {
        let mut stream = TcpStream::connect(plain).await.unwrap();
        stream.write_all(&leases::encode(&Hello { version, token, level: 0 }).unwrap()).await.unwrap();
        let mut header = [0; HEADER_BYTES];
        stream.read_exact(&mut header).await.unwrap();
        let mut body = vec![0; leases::body_length(header).unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        leases::decode::<Welcome>(&body).unwrap()
    };
    let welcome = hello(VERSION, narrowed("gateway", &callee)).await;
    assert!(matches!(welcome, Welcome::Accepted { node_id, .. } if node_id == "somebody"));
    for (what, token) in [
        ("no token", String::new()),
        ("not narrowed", minted("gateway").expose().clone()),
        ("another callee's", narrowed("gateway", "another")),
        ("another role's", narrowed("publisher", &callee)),
    ] {
        assert!(matches!(hello(VERSION, token).await, Welcome::Refused { .. }), "{what}");
    }
    assert!(matches!(hello(VERSION + 1, narrowed("gateway", &callee)).await, Welcome::Refused { .. }));
    // What is no frame ends the connection.
    let mut stream = TcpStream::connect(plain).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0);
    sandbox.stop().await;
}
