//! A node of one test's own, inside the test's process.

use std::path::Path;
use std::sync::Arc;

use config::Sources;
use gatewright::listeners::{Addresses, Demo};
use gatewright::node::{Node, NodeOptions, RunningNode};
use tempfile::TempDir;

use super::actors::{Admin, Caller, Publisher, Subscriber};
use super::backend::Backend;
use super::database::{DatabaseKind, Databases};
use super::rest::{Credentials, Rest};
use super::wait::eventually;

/// Ports are free ones, the home folder is temporary.
pub struct Sandbox {
    node: Option<RunningNode>,
    pub addresses: Addresses,
    pub backend: Backend,
    home: Arc<TempDir>,
    _databases: Option<Databases>,
}

/// Configuration that every test node shares: free ports, and few threads.
pub const FREE_PORTS: &str = "[server]\nmanagement_port = 0\nworkers = 1\n[gateway]\nhttp_port = 0\nhttps_port = 0\nworkers = 1\n";

/// Writes `HOME/conf/deployment.toml`.
pub fn configure(home: &Path, toml: &str) {
    std::fs::create_dir_all(home.join("conf")).unwrap();
    std::fs::write(home.join("conf/deployment.toml"), toml).unwrap();
}

impl Sandbox {
    pub async fn start(kind: DatabaseKind) -> Self {
        let home = Arc::new(tempfile::tempdir().unwrap());
        let (database_toml, databases) = Databases::create(kind);
        // The profile may open a plain version port: tests share a machine, so it takes a free one.
        configure(home.path(), &format!("{FREE_PORTS}{database_toml}"));
        let node = start_node(home.path()).await;
        let addresses = node.addresses().clone();
        Self { node: Some(node), addresses, backend: Backend::start().await, home, _databases: databases }
    }

    /// Stops the node and starts it anew on the same home folder; ports are other ones.
    pub async fn restart(&mut self) {
        self.stop().await;
        let node = start_node(self.home.path()).await;
        self.addresses = node.addresses().clone();
        self.node = Some(node);
    }

    pub async fn stop(&mut self) {
        if let Some(node) = self.node.take() {
            node.shutdown().await;
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn management_url(&self) -> String {
        format!("https://localhost:{}", self.addresses.management.port())
    }

    pub fn gateway_url(&self) -> String {
        format!("https://localhost:{}", self.addresses.gateway_https.port())
    }

    /// The management listener with any credentials.
    pub fn rest(&self, credentials: Credentials) -> Rest {
        Rest::new(self.management_url(), credentials)
    }

    pub fn admin_rest(&self) -> Rest {
        self.rest(Credentials::Basic("admin".to_owned(), "admin".to_owned()))
    }

    pub fn publisher(&self) -> Publisher {
        Publisher { rest: self.admin_rest(), backend_url: self.backend.url() }
    }

    pub fn subscriber(&self) -> Subscriber {
        Subscriber { rest: self.admin_rest() }
    }

    pub fn admin(&self) -> Admin {
        Admin { rest: self.admin_rest() }
    }

    /// Somebody who calls APIs with `token`.
    pub fn caller(&self, token: &str) -> Caller {
        Caller { rest: Rest::new(self.gateway_url(), Credentials::Bearer(token.to_owned())) }
    }

    pub fn anonymous_caller(&self) -> Caller {
        Caller { rest: Rest::new(self.gateway_url(), Credentials::None) }
    }
}

async fn start_node(home: &Path) -> RunningNode {
    let sources = Sources {
        home: home.to_owned(),
        profile: "all-in-one".to_owned(),
        environment: vec![("GATEWRIGHT__SERVER__VERSION_PORT".to_owned(), "0".to_owned())],
        ..Sources::default()
    };
    let loaded = config::load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    let options = NodeOptions { loaded, home: home.to_owned(), demo: Demo::No };
    let node = Node::start(options).await.unwrap_or_else(|error| panic!("the node does not start: {error:?}"));
    eventually("the node is ready", async || node.ready().await.then_some(())).await;
    node
}
