//! `gatewright healthcheck`: asks the node on this machine whether it is ready, for containers and supervisors.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{CommandError, load};
use crate::cli::NodeArgs;

const TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

pub fn execute(args: &NodeArgs) -> Result<(), CommandError> {
    let config = load(args)?.config;
    let certificate = config.tls.certificate.clone().unwrap_or_else(|| args.home.join("security").join("tls.crt"));
    let port = config.server.management_port.saturating_add(config.server.port_offset);
    let address = SocketAddr::new(reachable(config.server.bind), port);
    let answer = ask(address, &config.server.hostname, certificate).map_err(CommandError::Unreachable)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        println!("{body}");
        return Ok(());
    }
    Err(CommandError::NotReady(body.to_owned()))
}

/// A node that is bound to every address is asked on loopback.
fn reachable(bind: IpAddr) -> IpAddr {
    match bind {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// The whole answer to `GET /health/ready`; the node must show the certificate that it is configured with.
fn ask(
    address: SocketAddr,
    hostname: &str,
    certificate: PathBuf,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(certificate)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect_timeout(&address, TIMEOUT)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    let connection = ClientConnection::new(Arc::new(tls), ServerName::try_from(hostname.to_owned())?)?;
    let mut stream = StreamOwned::new(connection, socket);
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: {hostname}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}
