//! Several nodes that start at the same moment on empty databases, with one key-encryption key.

use domain::{Clock, SystemClock};
use futures_util::future::join_all;
use security::cluster::ClusterKeys;

use crate::support::database::{Databases, postgres_is_there};
use crate::support::nodes::start_unready_node;
use crate::support::rest::{Answer, Rest, client};
use crate::support::sandbox::{FREE_PORTS, administrator, administrator_token, configure};
use crate::support::{DatabaseKind, eventually};

const NODES: usize = 3;

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
        share_keys(&homes[0], home);
        let oauth = format!("[oauth]\nkey_encryption_key_file = {:?}\n", kek.display().to_string());
        configure(home, &format!("{FREE_PORTS}{database_toml}{oauth}"));
    }
    let nodes = join_all(homes.iter().map(|home| start_unready_node(home, "all-in-one"))).await;
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

/// What the traffic managers of one cluster have in common.
fn share_keys(first: &std::path::Path, home: &std::path::Path) {
    let (from, to) = (first.join("security/cluster"), home.join("security/cluster"));
    ClusterKeys::load_or_create(&from, SystemClock.now()).unwrap();
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if !to.join(entry.file_name()).exists() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
