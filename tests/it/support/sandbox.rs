//! A node of one test's own, inside the test's process.

use std::path::Path;
use std::sync::Arc;

use config::Sources;
use gatewright::listeners::{Addresses, Demo};
use gatewright::node::{Node, NodeOptions, RunningNode};
use serde_json::json;
use tempfile::TempDir;

use super::actors::{Admin, Caller, Publisher, Subscriber};
use super::backend::Backend;
use super::database::{DatabaseKind, Databases};
use super::rest::{Answer, Credentials, Rest, client};
use super::wait::eventually;

/// Ports are free ones, the home folder is temporary.
pub struct Sandbox {
    node: Option<RunningNode>,
    pub addresses: Addresses,
    pub backend: Backend,
    /// An administrator's access token with every scope.
    admin_token: String,
    home: Arc<TempDir>,
    databases: Option<Databases>,
}

/// Configuration that every test node shares: free ports, and few threads.
pub const FREE_PORTS: &str =
    "[server]\nmanagement_port = 0\nworkers = 1\n[gateway]\nhttp_port = 0\nhttps_port = 0\nworkers = 1\n";

/// Writes `HOME/conf/deployment.toml`.
pub fn configure(home: &Path, toml: &str) {
    std::fs::create_dir_all(home.join("conf")).unwrap();
    std::fs::write(home.join("conf/deployment.toml"), toml).unwrap();
}

impl Sandbox {
    pub async fn start(kind: DatabaseKind) -> Self {
        Self::start_with(kind, "").await
    }

    /// With further sections of the configuration.
    pub async fn start_with(kind: DatabaseKind, toml: &str) -> Self {
        let home = Arc::new(tempfile::tempdir().unwrap());
        let (database_toml, databases) = Databases::create(kind);
        // The profile may open a plain version port: tests share a machine, so it takes a free one.
        configure(home.path(), &format!("{FREE_PORTS}{database_toml}{toml}"));
        let node = start_node(home.path()).await;
        let addresses = node.addresses().clone();
        let management_url = format!("https://localhost:{}", addresses.management.port());
        Self {
            node: Some(node),
            addresses,
            backend: Backend::start().await,
            admin_token: administrator_token(&management_url).await,
            home,
            databases,
        }
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

    /// The administrator with a token: checking a password takes a while on purpose.
    pub fn admin_rest(&self) -> Rest {
        self.rest(Credentials::Bearer(self.admin_token.clone()))
    }

    /// The administrator with name and password.
    pub fn password_rest(&self) -> Rest {
        self.rest(administrator())
    }

    /// The database of users and tenants.
    pub fn shared_db_url(&self) -> String {
        let file = || format!("sqlite:{}", self.home.path().join("db/shared.db").display());
        self.databases.as_ref().map_or_else(file, Databases::shared_url)
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

pub fn administrator() -> Credentials {
    Credentials::Basic("admin".to_owned(), "admin".to_owned())
}

/// A client by DCR, then a token by password with every scope of the management APIs.
pub async fn administrator_token(management_url: &str) -> String {
    let body =
        json!({"clientName": "tests", "owner": "admin", "grantType": "password", "callbackUrl": "", "saasApp": true});
    let rest = Rest::new(management_url, administrator());
    let registered = rest.post("/client-registration/v0.17/register", &body).await.expect(200);
    let scopes: Vec<&str> = domain::scope::rest_api::all().collect();
    let form = [("grant_type", "password"), ("username", "admin"), ("password", "admin"), ("scope", &scopes.join(" "))];
    let request = client()
        .post(format!("{management_url}/oauth2/token"))
        .basic_auth(registered.field("clientId"), Some(registered.field("clientSecret")))
        .form(&form);
    Answer::of(request).await.expect(200).field("access_token")
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
