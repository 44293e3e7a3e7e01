//! Binds every port before any work starts, so that a taken port is told at once.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use config::Config;

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
    pub gateway_http: SocketAddr,
    pub gateway_https: SocketAddr,
    /// The demo back end.
    pub demo: Option<SocketAddr>,
}

/// Every bound port.
pub struct Listeners {
    pub management: TcpListener,
    pub version: Option<TcpListener>,
    /// For the management port.
    pub tls: Arc<rustls::ServerConfig>,
    pub gateway: gateway::role::Bound,
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

impl Listeners {
    /// # Errors
    /// When a port is taken, or the address is not of this machine.
    pub fn bind(config: &Config, tls: Arc<rustls::ServerConfig>, demo: Demo) -> Result<Self, ListenError> {
        let ports = Ports { bind: config.server.bind, offset: config.server.port_offset };
        let management = ports.bind(config.server.management_port, "management")?;
        let version = config.server.version_port.map(|port| ports.bind(port, "the version service")).transpose()?;
        let gateway =
            gateway::GatewayRole::bind(&config.gateway, &config.server, &tls).map_err(ListenError::Gateway)?;
        let loopback = Ports { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), ..ports };
        let demo = match demo {
            Demo::No => None,
            Demo::OnPort(port) => Some(loopback.bind(port, "the demo back end")?),
        };
        let addresses = Addresses {
            management: management.1,
            version: version.as_ref().map(|(_, address)| *address),
            gateway_http: gateway.http_address(),
            gateway_https: gateway.https_address(),
            demo: demo.as_ref().map(|(_, address)| *address),
        };
        Ok(Self {
            management: management.0,
            version: version.map(|(socket, _)| socket),
            tls,
            gateway,
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
        config
    }

    fn bind(config: &Config, demo: Demo) -> Result<Listeners, ListenError> {
        let folder = tempfile::tempdir().unwrap();
        let identity =
            security::tls::load_or_create(folder.path(), "localhost", domain::Timestamp::from_secs(0)).unwrap();
        Listeners::bind(config, Arc::new(security::tls::server_config(identity, &[]).unwrap()), demo)
    }

    #[test]
    fn port_zero_is_any_free_port_whatever_the_offset() {
        let addresses = bind(&free_ports(), Demo::OnPort(0)).unwrap().addresses;
        assert_ne!(addresses.management.port(), 0);
        assert_ne!(addresses.gateway_https.port(), 0);
        assert!(addresses.version.is_none() && addresses.demo.is_some());
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
        let error = bind(&config, Demo::No).err().unwrap();
        assert_eq!(error.to_string(), format!("cannot listen on 127.0.0.1:{port} for management"));
    }

    #[test]
    fn an_offset_beyond_the_last_port_is_refused() {
        let mut config = free_ports();
        config.server.management_port = 65_530;
        assert!(matches!(bind(&config, Demo::No), Err(ListenError::Offset { .. })));
    }
}
