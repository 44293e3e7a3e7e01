//! Who may pull.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use domain::user::role;
use domain::{Clock, SystemClock, node};
use rustls::pki_types::ServerName;
use security::cluster::ClusterKeys;
use security::cluster_tls::{self, Fingerprint};
use security::node_token;

use super::{BASE, paths, pull};
use crate::on_every_topology;
use crate::support::rest::{Credentials, Rest};
use crate::support::{DatabaseKind, Sandbox, people};

/// A node with the role, whose token is narrowed to the sandbox's traffic manager.
fn node_as(sandbox: &Sandbox, role: &str) -> Rest {
    let home = sandbox.nodes.home("traffic-manager");
    let keys = ClusterKeys::load(&home.join("security/cluster")).unwrap().unwrap();
    let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
    let port = sandbox.nodes.addresses("traffic-manager").management.port();
    let token = keys.root().unwrap().mint_node(&[role.to_owned()], "tool", day, now).unwrap();
    let token = node_token::attenuate(&token, &callee(&keys, port), now).unwrap();
    Rest::new(format!("https://localhost:{port}"), Credentials::Bearer(token.expose().clone()))
}

/// How the traffic manager is known to nodes: by the certificate that it shows them.
fn callee(keys: &ClusterKeys, port: u16) -> String {
    let config = cluster_tls::client_config(*keys.fingerprint(), &[]).unwrap();
    let host = ServerName::try_from(cluster_tls::role_host("traffic-manager")).unwrap();
    let mut connection = rustls::ClientConnection::new(Arc::new(config), host).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    Fingerprint::of(connection.peer_certificates().unwrap().first().unwrap()).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_pulls_without_the_role_of_an_operator() {
    let mut sandbox = Sandbox::start(DatabaseKind::Sqlite).await;
    people::subscriber(&sandbox, "sam", &[role::CREATOR, role::PUBLISHER]).await;
    people::subscriber(&sandbox, "olga", &[role::DEVOPS]).await;
    let basic = |name: &str, password: &str| Credentials::Basic(name.to_owned(), password.to_owned());
    let strangers = [
        (Credentials::None, 401),
        (basic("olga", "wrong"), 401),
        (basic("nobody", "nobody"), 401),
        (sandbox.admin_rest().credentials, 401),
        (basic("sam", "sam"), 403),
    ];
    for path in paths() {
        for (credentials, status) in &strangers {
            let answer = sandbox.rest(credentials.clone()).get(&path).await.expect(*status).json();
            assert!(answer["code"].is_i64() && answer["message"].is_string(), "{path}: {answer}");
        }
        let answer = sandbox.rest(basic("olga", "olga")).get(&path).await;
        let expected = if path.contains("/synapse-attributes") { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{path}: {}", answer.text);
    }
    let unserved = ["/throttle", "/notify-gateway", "/nothing", ""];
    for path in unserved {
        let answer = sandbox.password_rest().get(&format!("{BASE}{path}")).await.expect(404).json();
        assert_eq!(answer["code"], 404, "{path}");
    }
    sandbox.stop().await;
}

on_every_topology! {
    async fn a_node_pulls_with_a_token_that_is_good_for_the_event_hub(sandbox) {
        let gateway = node_as(sandbox, node::role::GATEWAY);
        for tenant in ["ALL", "carbon.super"] {
            let managers = pull(&gateway, "/keymanagers", tenant).await.expect(200).json();
            assert_eq!(managers[0]["tenantDomain"], "carbon.super", "{managers}");
        }
        pull(&node_as(sandbox, node::role::PUBLISHER), "/keymanagers", "ALL").await.expect(401);
    }
}
