//! Binds every port before any work starts, so that a taken port is told at once.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use config::{Config, Profile, Role};

use crate::demo;

/// A port cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("port {port} plus the offset {offset} is no port")]
    Offset { port: u16, offset: u16 },
    #[error("the gateway cannot listen")]
    Gateway(#[source] gateway::GatewayError),
    #[error("cannot listen on {address} for {purpose}")]
    Bind {
        address: SocketAddr,
        purpose: &'static str,
        #[source]
        source: io::Error,
    },
}

/// Where a running node can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// HTTPS: REST APIs, token service, health, metrics.
    pub management: SocketAddr,
    /// Plain HTTP: `/services/Version` only.
    pub version: Option<SocketAddr>,
    /// Both ports of the gateway, where there is one.
    pub gateway: Option<GatewayAddresses>,
    /// The lease protocol over TLS, and in plain; where there is a traffic manager.
    pub leases: Option<[SocketAddr; 2]>,
    /// The demo back end.
    pub demo: Option<SocketAddr>,
}

/// Where a gateway takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayAddresses {
    pub http: SocketAddr,
    pub https: SocketAddr,
}

/// The traffic manager's sockets.
pub struct LeaseSockets {
    pub tls: TcpListener,
    /// On loopback.
    pub plain: TcpListener,
}

/// Every bound port; roles that the node does not play have none.
pub struct Listeners {
    pub management: TcpListener,
    pub version: Option<TcpListener>,
    /// For the management port.
    pub tls: Arc<rustls::ServerConfig>,
    pub gateway: Option<gateway::role::Bound>,
    pub leases: Option<LeaseSockets>,
    pub demo: Option<TcpListener>,
    pub addresses: Addresses,
}

/// Whether the demo back end runs too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demo {
    No,
    OnPort(u16),
}

impl Demo {
    /// The demo's usual port, or any free one when the management port is a free one too.
    #[must_use]
    pub fn usual(config: &Config) -> Self {
        Self::OnPort(if config.server.management_port == 0 { 0 } else { demo::PORT })
    }
}

/// Server configurations of the node's TLS ports.
pub struct ServerTls {
    /// Also shows the cluster's certificate to other nodes.
    pub management: Arc<rustls::ServerConfig>,
    /// For callers of APIs.
    pub gateway: Arc<rustls::ServerConfig>,
}

impl Listeners {
    /// # Errors
    /// When a port is taken, or the address is not of this machine.
    pub fn bind(config: &Config, profile: &Profile, tls: ServerTls, demo: Demo) -> Result<Self, ListenError> {
        let ports = Ports { bind: config.server.bind, offset: config.server.port_offset };
        let loopback = Ports { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), ..ports };
        let management = ports.bind(config.server.management_port, "management")?;
        let version = config.server.version_port.map(|port| ports.bind(port, "the version service")).transpose()?;
        let gateway = if profile.has(Role::Gateway) {
            let bound = gateway::GatewayRole::bind(&config.gateway, &config.server, &tls.gateway);
            Some(bound.map_err(ListenError::Gateway)?)
        } else {
            None
        };
        let leases = if profile.has(Role::TrafficManager) {
            let tls = ports.bind(config.throttling.lease_port, "leases")?;
            Some([tls, loopback.bind(config.throttling.plain_lease_port, "leases without TLS")?])
        } else {
            None
        };
        let demo = match demo {
            Demo::No => None,
            Demo::OnPort(port) => Some(loopback.bind(port, "the demo back end")?),
        };
        let addresses = Addresses {
            management: management.1,
            version: version.as_ref().map(|(_, address)| *address),
            gateway: gateway
                .as_ref()
                .map(|bound| GatewayAddresses { http: bound.http_address(), https: bound.https_address() }),
            leases: leases.as_ref().map(|sockets| sockets.each_ref().map(|(_, address)| *address)),
            demo: demo.as_ref().map(|(_, address)| *address),
        };
        Ok(Self {
            management: management.0,
            version: version.map(|(socket, _)| socket),
            tls: tls.management,
            gateway,
            leases: leases.map(|[(tls, _), (plain, _)]| LeaseSockets { tls, plain }),
            demo: demo.map(|(socket, _)| socket),
            addresses,
        })
    }
}

#[derive(Clone, Copy)]
struct Ports {
    bind: IpAddr,
    offset: u16,
}

impl Ports {
    fn bind(self, port: u16, purpose: &'static str) -> Result<(TcpListener, SocketAddr), ListenError> {
        // Any free port stays any free port.
        let shifted = if port == 0 { Some(0) } else { port.checked_add(self.offset) };
        let port = shifted.ok_or(ListenError::Offset { port, offset: self.offset })?;
        let address = SocketAddr::new(self.bind, port);
        let failed = |source| ListenError::Bind { address, purpose, source };
        let socket = TcpListener::bind(address).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        Ok((socket, bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_ports() -> Config {
        let mut config = Config::default();
        config.server.management_port = 0;
        config.server.port_offset = 7;
        config.gateway.http_port = 0;
        config.gateway.https_port = 0;
        config.gateway.workers = 1;
        config.throttling.lease_port = 0;
        config.throttling.plain_lease_port = 0;
        config
    }

    fn bind(config: &Config, roles: &[Role], demo: Demo) -> Result<Listeners, ListenError> {
        let folder = tempfile::tempdir().unwrap();
        let identity =
            security::tls::load_or_create(folder.path(), "localhost", domain::Timestamp::from_secs(0)).unwrap();
        let tls = Arc::new(security::tls::server_config(identity, &[]).unwrap());
        let profile = Profile { name: "test".to_owned(), roles: roles.to_vec() };
        Listeners::bind(config, &profile, ServerTls { management: Arc::clone(&tls), gateway: tls }, demo)
    }

    #[test]
    fn port_zero_is_any_free_port_whatever_the_offset() {
        let addresses = bind(&free_ports(), &Role::ALL, Demo::OnPort(0)).unwrap().addresses;
        assert_ne!(addresses.management.port(), 0);
        assert_ne!(addresses.gateway.unwrap().https.port(), 0);
        assert!(addresses.version.is_none() && addresses.demo.is_some());
        assert!(addresses.leases.unwrap().iter().all(|address| address.port() != 0));
    }

    #[test]
    fn a_role_that_is_not_played_has_no_port() {
        let gateway = bind(&free_ports(), &[Role::Gateway], Demo::No).unwrap();
        assert!(gateway.addresses.gateway.is_some() && gateway.leases.is_none());
        let manager = bind(&free_ports(), &[Role::TrafficManager, Role::EventHub], Demo::No).unwrap();
        assert!(manager.gateway.is_none() && manager.addresses.leases.is_some());
        let publisher = bind(&free_ports(), &[Role::Publisher], Demo::No).unwrap();
        assert_eq!((publisher.addresses.gateway, publisher.addresses.leases), (None, None));
    }

    #[test]
    fn a_taken_port_is_named_with_its_purpose() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let config = {
            let mut config = free_ports();
            config.server.port_offset = 0;
            config.server.management_port = port;
            config
        };
        let error = bind(&config, &[Role::Publisher], Demo::No).err().unwrap();
        assert_eq!(error.to_string(), format!("cannot listen on 127.0.0.1:{port} for management"));
    }

    #[test]
    fn an_offset_beyond_the_last_port_is_refused() {
        let mut config = free_ports();
        config.server.management_port = 65_530;
        assert!(matches!(bind(&config, &[Role::Publisher], Demo::No), Err(ListenError::Offset { .. })));
    }
}
