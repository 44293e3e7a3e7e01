//! What every role of a node is made from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;

use client::{Membership, PeerOptions, Peers};
use config::{Config, Profile};
use domain::Clock;
use http::health::Health;
use node_store::Carbon;
use store::{ApimDb, SharedDb};
use telemetry::metrics::Metrics;
use tokio::runtime::Handle;

use crate::listeners::Addresses;

/// The node's own means; clones share them.
#[derive(Clone)]
pub(crate) struct NodeContext {
    pub config: Arc<Config>,
    pub profile: Profile,
    /// How the node calls itself, the same over restarts.
    pub node_id: String,
    /// Folders of the home folder.
    pub databases: PathBuf,
    pub security: PathBuf,
    pub addresses: Addresses,
    pub runtime: Handle,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
    pub health: Health,
    /// The node's own small facts.
    pub carbon: Carbon,
    /// How other nodes know this one, and it them.
    pub membership: Membership,
}

/// The shared databases, of nodes that have them; clones share the connections.
#[derive(Clone)]
pub(crate) struct Databases {
    pub apim: ApimDb,
    pub shared: SharedDb,
}

impl NodeContext {
    /// `https://host:port` of the management listener, as clients reach it.
    pub fn management_url(&self) -> String {
        format!("https://{}:{}", self.config.server.hostname, self.addresses.management.port())
    }

    /// The same as this node itself reaches it.
    fn own_url(&self) -> String {
        let address = self.addresses.management;
        let host = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("https://{}", std::net::SocketAddr::new(host, address.port()))
    }

    /// The traffic managers that `[cluster]` names.
    pub fn traffic_managers(&self) -> Peers {
        self.peers(domain::node::role::TRAFFIC_MANAGER, &self.config.cluster.traffic_managers)
    }

    /// The key managers that `[cluster]` names, else this node.
    pub fn key_managers(&self) -> Peers {
        let configured = &self.config.cluster.key_managers;
        let own = [self.own_url()];
        let urls = if configured.is_empty() { &own } else { configured.as_slice() };
        self.peers(domain::node::role::KEY_MANAGER, urls)
    }

    fn peers(&self, role: &'static str, urls: &[String]) -> Peers {
        Peers::new(
            role,
            urls,
            self.membership.clone(),
            PeerOptions::from_config(&self.config.cluster),
            self.runtime.clone(),
        )
    }
}
