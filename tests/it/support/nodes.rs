//! The nodes of a test: one with every role, or one for each role on a shared PostgreSQL server.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use config::Sources;
use domain::{Clock, SystemClock};
use gatewright::listeners::{Addresses, Demo};
use gatewright::node::{Node, NodeOptions, RunningNode};
use security::cluster::ClusterKeys;
use tempfile::TempDir;

use super::balancer::{Balancer, Targets};
pub use super::fleet::mint;
use super::free_port::free_port;
use super::wait::eventually;

/// Configuration that every test node shares: free ports, and few threads.
pub const FREE_PORTS: &str = "[server]\nmanagement_port = 0\nworkers = 1\n\
     [gateway]\nhttp_port = 0\nhttps_port = 0\nworkers = 1\n[throttling]\nlease_port = 0\nplain_lease_port = 0\n";

/// The administrator's password where the development one is refused.
pub const SPLIT_PASSWORD: &str = "not the default one";

/// `iss` of the split deployment's tokens.
const ISSUER: &str = "https://localhost:9443/oauth2/token";

/// Profiles of a split deployment in the order in which they are started here; any order works.
pub const PROFILES: [&str; 5] = ["traffic-manager", "key-manager", "gateway", "publisher", "devportal"];

/// How the roles are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    AllInOne,
    Split,
}

/// Writes `HOME/conf/deployment.toml`.
pub fn configure(home: &Path, toml: &str) {
    std::fs::create_dir_all(home.join("conf")).unwrap();
    std::fs::write(home.join("conf/deployment.toml"), toml).unwrap();
}

/// Starts a node on `home` and waits until it is ready.
pub async fn start_node(home: &Path, profile: &str) -> RunningNode {
    let node = start_unready_node(home, profile).await;
    eventually(&format!("the {profile} is ready"), async || node.ready().await.then_some(())).await;
    node
}

/// Starts a node on `home`; it answers, but may be waiting for others.
pub async fn start_unready_node(home: &Path, profile: &str) -> RunningNode {
    let sources = Sources {
        home: home.to_owned(),
        profile: profile.to_owned(),
        environment: vec![("GATEWRIGHT__SERVER__VERSION_PORT".to_owned(), "0".to_owned())],
        ..Sources::default()
    };
    let loaded = config::load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    let options = NodeOptions { loaded, home: home.to_owned(), demo: Demo::No };
    Node::start(options).await.unwrap_or_else(|error| panic!("the {profile} does not start: {error:?}"))
}

/// Everything that runs for one test.
pub struct Nodes {
    topology: Topology,
    running: Vec<(&'static str, RunningNode)>,
    homes: Vec<(&'static str, TempDir)>,
    /// Of a split deployment: what stands in front of the management ports.
    balancer: Option<(Balancer, Targets)>,
    /// Of a split deployment: what further nodes are configured with.
    blueprint: Option<(Ports, String)>,
    /// Of further nodes.
    more_homes: Vec<TempDir>,
}

impl Nodes {
    /// One node with every role; ports are free ones.
    pub async fn all_in_one(toml: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        configure(home.path(), &joined(FREE_PORTS, toml));
        let node = start_node(home.path(), "all-in-one").await;
        Self {
            topology: Topology::AllInOne,
            running: vec![("all-in-one", node)],
            homes: vec![("all-in-one", home)],
            balancer: None,
            blueprint: None,
            more_homes: Vec::new(),
        }
    }

    /// One node for each profile, over the databases in `toml`.
    pub async fn split(toml: &str) -> Self {
        let homes: Vec<_> = PROFILES.map(|profile| (profile, tempfile::tempdir().unwrap())).into();
        let ports = Ports::reserve();
        let keys = ClusterKeys::load_or_create(&homes[0].1.path().join("security/cluster"), SystemClock.now()).unwrap();
        for (profile, home) in &homes {
            configure(home.path(), &joined(&ports.configuration(profile, &mint(&keys, profile)), toml));
        }
        let targets = Targets::new(RwLock::new(BTreeMap::new()));
        let balancer = Balancer::start(Arc::clone(&targets)).await;
        let mut nodes = Self {
            topology: Topology::Split,
            running: Vec::new(),
            homes,
            balancer: Some((balancer, targets)),
            blueprint: Some((ports, toml.to_owned())),
            more_homes: Vec::new(),
        };
        nodes.start().await;
        nodes
    }

    /// One more gateway of a split deployment, ready to serve.
    pub async fn add_gateway(&mut self) -> RunningNode {
        self.add_gateway_of("Default").await
    }

    /// The same, joining with this text.
    pub async fn add_gateway_with(&mut self, enrolment: &str) -> RunningNode {
        self.add_gateway_as("Default", enrolment).await
    }

    /// One more gateway, for another environment.
    pub async fn add_gateway_of(&mut self, environment: &str) -> RunningNode {
        let keys = ClusterKeys::load(&self.home("traffic-manager").join("security/cluster")).unwrap().unwrap();
        self.add_gateway_as(environment, &mint(&keys, "gateway")).await
    }

    async fn add_gateway_as(&mut self, environment: &str, enrolment: &str) -> RunningNode {
        let (ports, toml) = self.blueprint.as_ref().unwrap();
        let home = tempfile::tempdir().unwrap();
        let ports = Ports { gateway: [0, 0], ..*ports };
        let configuration = joined(&ports.configuration("gateway", enrolment), toml);
        let own = format!("[gateway]\nenvironments = [\"{environment}\"]\n");
        configure(home.path(), &configuration.replacen("[gateway]\n", &own, 1));
        let node = start_node(home.path(), "gateway").await;
        self.more_homes.push(home);
        // It counts for deployments once a hub has heard of it.
        eventually("the gateway's heartbeat is taken", async || {
            (!node.metrics().encode().contains("gatewright_sync_heartbeats_total 0")).then_some(())
        })
        .await;
        node
    }

    /// Starts all nodes on their homes.
    pub async fn start(&mut self) {
        for (profile, home) in &self.homes {
            self.running.push((profile, start_node(home.path(), profile).await));
        }
        if let Some((_, targets)) = &self.balancer {
            let url = |node: &RunningNode| format!("https://localhost:{}", node.addresses().management.port());
            let all = self.running.iter().map(|(profile, node)| (*profile, url(node)));
            *targets.write().unwrap() = all.collect();
        }
    }

    /// Stops all nodes, the ones that depend on others first.
    pub async fn stop(&mut self) {
        while let Some((_, node)) = self.running.pop() {
            node.shutdown().await;
        }
    }

    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// Stops the node of this profile.
    pub async fn stop_one(&mut self, wanted: &str) {
        let index = self.running.iter().position(|(profile, _)| *profile == wanted).unwrap();
        self.running.remove(index).1.shutdown().await;
    }

    /// The addresses of the node that plays `role`.
    pub fn addresses(&self, role: &str) -> &Addresses {
        self.find(role).addresses()
    }

    pub fn find(&self, role: &str) -> &RunningNode {
        let wanted = |(profile, _): &&(&str, RunningNode)| *profile == "all-in-one" || *profile == role;
        &self.running.iter().find(wanted).unwrap().1
    }

    /// The home folder of the node that plays `role`.
    pub fn home(&self, role: &str) -> &Path {
        let wanted = |(profile, _): &&(&str, TempDir)| *profile == "all-in-one" || *profile == role;
        self.homes.iter().find(wanted).unwrap().1.path()
    }

    /// Where every management path is answered.
    pub fn management_url(&self) -> String {
        match &self.balancer {
            Some((balancer, _)) => balancer.url(),
            None => format!("https://localhost:{}", self.addresses("all-in-one").management.port()),
        }
    }

    pub fn administrator_password(&self) -> &'static str {
        match self.topology {
            Topology::AllInOne => "admin",
            Topology::Split => SPLIT_PASSWORD,
        }
    }
}

/// Two texts of sections in one. One of the shared sections may stand in both, in `more` as the last one.
fn joined(configuration: &str, more: &str) -> String {
    const SHARED: [&str; 2] = ["[cluster]\n", "[throttling]\n"];
    let shared = SHARED.iter().find_map(|section| Some((section, more.split_once(section)?)));
    match shared {
        None => format!("{configuration}{more}"),
        Some((section, (before, keys))) => {
            format!("{}{before}", configuration.replacen(section, &format!("{section}{keys}"), 1))
        }
    }
}

/// Ports that peers must know before the nodes run. They are below those that the system gives to sockets without a
/// wish, and no two tests of a process get the same.
pub struct Ports {
    traffic_manager: u16,
    key_manager: u16,
    gateway: [u16; 2],
}

impl Ports {
    pub fn reserve() -> Self {
        Self { traffic_manager: free_port(), key_manager: free_port(), gateway: [free_port(), free_port()] }
    }

    /// The configuration of one node.
    pub fn configuration(&self, profile: &str, token: &str) -> String {
        let Self { traffic_manager, key_manager, gateway: [http, https] } = self;
        let own = match profile {
            "traffic-manager" => *traffic_manager,
            "key-manager" => *key_manager,
            _ => 0,
        };
        format!(
            "[server]\nmanagement_port = {own}\nworkers = 1\n\
             [gateway]\nhttp_port = {http}\nhttps_port = {https}\nworkers = 1\n\
             [throttling]\nlease_port = 0\nplain_lease_port = 0\n\
             [fetch]\nallow_loopback = true\n\
             [oauth]\nissuer = \"{ISSUER}\"\npublic_url = \"https://localhost:{key_manager}\"\n\
             [super_admin]\npassword = \"{SPLIT_PASSWORD}\"\n\
             [cluster]\ntoken = \"{token}\"\n\
             traffic_managers = [\"https://localhost:{traffic_manager}\"]\n\
             key_managers = [\"https://localhost:{key_manager}\"]\n\
             [[control_plane.environments]]\nname = \"Default\"\n\
             [[control_plane.environments.vhosts]]\nhost = \"localhost\"\nhttp_port = {http}\nhttps_port = {https}\n"
        )
    }
}
