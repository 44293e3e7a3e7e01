//! The nodes of one test's own, inside the test's process, and the people who use them.

use serde_json::json;

use super::actors::{Admin, Caller, Publisher, Subscriber};
use super::backend::Backend;
use super::database::{DatabaseKind, Databases};
pub use super::nodes::{FREE_PORTS, configure};
use super::nodes::{Nodes, Topology};
use super::rest::{Answer, Credentials, Rest, client};

/// Ports are free ones, home folders are temporary.
pub struct Sandbox {
    pub nodes: Nodes,
    pub backend: Backend,
    /// An administrator's access token with every scope.
    admin_token: String,
    databases: Option<Databases>,
}

impl Sandbox {
    /// One node with every role.
    pub async fn start(kind: DatabaseKind) -> Self {
        Self::start_with(kind, "").await
    }

    /// With further sections of the configuration.
    pub async fn start_with(kind: DatabaseKind, toml: &str) -> Self {
        Self::start_as(Topology::AllInOne, kind, toml).await
    }

    /// One node for each profile, on PostgreSQL.
    pub async fn split() -> Self {
        Self::split_with("").await
    }

    /// With further sections of the configuration of every node.
    pub async fn split_with(toml: &str) -> Self {
        Self::start_as(Topology::Split, DatabaseKind::Postgres, toml).await
    }

    pub async fn start_as(topology: Topology, kind: DatabaseKind, toml: &str) -> Self {
        let (database_toml, databases) = Databases::create(kind);
        let toml = format!("{database_toml}{toml}");
        let nodes = match topology {
            Topology::AllInOne => Nodes::all_in_one(&toml).await,
            Topology::Split => Nodes::split(&toml).await,
        };
        let admin_token = administrator_token(&nodes.management_url(), nodes.administrator_password()).await;
        Self { nodes, backend: Backend::start().await, admin_token, databases }
    }

    /// Stops the nodes and starts them anew on the same home folders; free ports are other ones.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.nodes.start().await;
    }

    pub async fn stop(&mut self) {
        self.nodes.stop().await;
    }

    pub fn home(&self) -> &std::path::Path {
        self.nodes.home("all-in-one")
    }

    pub fn management_url(&self) -> String {
        self.nodes.management_url()
    }

    pub fn gateway_port(&self) -> u16 {
        self.nodes.addresses("gateway").gateway.unwrap().https.port()
    }

    pub fn gateway_url(&self) -> String {
        format!("https://localhost:{}", self.gateway_port())
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
        self.rest(administrator(self.nodes.administrator_password()))
    }

    /// The database of users and tenants.
    pub fn shared_db_url(&self) -> String {
        let file = || format!("sqlite:{}", self.nodes.home("key-manager").join("db/shared.db").display());
        self.databases.as_ref().map_or_else(file, Databases::shared_url)
    }

    /// The databases on PostgreSQL.
    pub fn databases(&self) -> &Databases {
        self.databases.as_ref().unwrap()
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

pub fn administrator(password: &str) -> Credentials {
    Credentials::Basic("admin".to_owned(), password.to_owned())
}

/// A client by DCR, then a token by password with every scope of the management APIs.
pub async fn administrator_token(management_url: &str, password: &str) -> String {
    let body =
        json!({"clientName": "tests", "owner": "admin", "grantType": "password", "callbackUrl": "", "saasApp": true});
    let rest = Rest::new(management_url, administrator(password));
    let registered = rest.post("/client-registration/v0.17/register", &body).await.expect(200);
    let scopes: Vec<&str> = domain::scope::rest_api::all().collect();
    let form =
        [("grant_type", "password"), ("username", "admin"), ("password", password), ("scope", &scopes.join(" "))];
    let request = client()
        .post(format!("{management_url}/oauth2/token"))
        .basic_auth(registered.field("clientId"), Some(registered.field("clientSecret")))
        .form(&form);
    Answer::of(request).await.expect(200).field("access_token")
}
