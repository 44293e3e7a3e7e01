//! Several nodes that start at the same moment on empty databases, with one key-encryption key.

use config::Sources;
use futures_util::future::join_all;
use gatewright::listeners::Demo;
use gatewright::node::{Node, NodeOptions, RunningNode};

use crate::support::database::{Databases, postgres_is_there};
use crate::support::rest::{Answer, Rest, client};
use crate::support::sandbox::{FREE_PORTS, administrator, administrator_token, configure};
use crate::support::{DatabaseKind, eventually};

const NODES: usize = 3;

async fn start(home: &std::path::Path) -> RunningNode {
    let sources = Sources {
        home: home.to_owned(),
        profile: "all-in-one".to_owned(),
        environment: vec![("GATEWRIGHT__SERVER__VERSION_PORT".to_owned(), "0".to_owned())],
        ..Sources::default()
    };
    let loaded = config::load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    let options = NodeOptions { loaded, home: home.to_owned(), demo: Demo::No };
    Node::start(options).await.unwrap_or_else(|error| panic!("the node does not start: {error:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_agree_on_everything_that_a_first_start_makes() {
    if !postgres_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let kek = folder.path().join("kek");
    std::fs::write(&kek, "07".repeat(32)).unwrap();
    let (database_toml, _databases) = Databases::create(DatabaseKind::Postgres);
    let homes: Vec<_> = (0..NODES).map(|number| folder.path().join(number.to_string())).collect();
    for home in &homes {
        let oauth = format!("[oauth]\nkey_encryption_key_file = {:?}\n", kek.display().to_string());
        configure(home, &format!("{FREE_PORTS}{database_toml}{oauth}"));
    }
    let nodes = join_all(homes.iter().map(|home| start(home))).await;
    let urls: Vec<String> =
        nodes.iter().map(|node| format!("https://localhost:{}", node.addresses().management.port())).collect();
    let token = administrator_token(&urls[0], "admin").await;
    let mut answers = Vec::new();
    for (node, url) in nodes.iter().zip(&urls) {
        eventually("the node is ready", async || node.ready().await.then_some(())).await;
        let keys = Answer::of(client().get(format!("{url}/oauth2/jwks"))).await.expect(200).json();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        let rest = Rest::new(url.clone(), crate::support::rest::Credentials::Bearer(token.clone()));
        let policies = rest.get("/api/am/admin/v4/throttling/policies/subscription").await.expect(200).json();
        Rest::new(url.clone(), administrator("admin")).get("/api/am/publisher/v4/apis").await.expect(200);
        answers.push((keys, policies));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    for node in nodes {
        node.shutdown().await;
    }
}
