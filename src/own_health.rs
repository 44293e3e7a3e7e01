//! What the node on this machine says of itself, asked from outside of it.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A node answered.
pub(crate) struct OwnHealth {
    pub is_ready: bool,
    /// JSON, see `http::health`.
    pub body: String,
}

/// Where the node with this configuration is asked; one that is bound to every address on loopback.
pub(crate) fn address(config: &Config) -> SocketAddr {
    let port = config.server.management_port.saturating_add(config.server.port_offset);
    let host = match config.server.bind {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(host, port)
}

/// The answer to `GET /health/ready`; the node must show the certificate that it is configured with. Blocking.
pub(crate) fn ask(config: &Config, home: &Path) -> Result<OwnHealth, Box<dyn std::error::Error + Send + Sync>> {
    let certificate = config.tls.certificate.clone().unwrap_or_else(|| home.join("security").join("tls.crt"));
    let hostname = &config.server.hostname;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(certificate)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect_timeout(&address(config), TIMEOUT)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    let connection = ClientConnection::new(Arc::new(tls), ServerName::try_from(hostname.to_owned())?)?;
    let mut stream = StreamOwned::new(connection, socket);
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: {hostname}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok(OwnHealth { is_ready: head.starts_with("HTTP/1.1 200 "), body: body.to_owned() })
}
