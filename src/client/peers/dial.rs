//! Opening a TLS connection to another node.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use security::cluster_tls::{Fingerprint, client_config, role_host};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Time after which a further attempt joins those that hang: a network that comes back is noticed by a fresh attempt at
/// once, by an old one only when its packets are sent again.
const STAGGER: Duration = Duration::from_millis(300);

/// Most attempts at a time.
const ATTEMPTS_MAX: usize = 6;

/// Host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Of `https://HOST:PORT`.
    pub fn parse(url: &str) -> Option<Self> {
        let (host, port) = url.strip_prefix("https://")?.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { host, port: port.parse().ok()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{0}")]
    Connect(#[source] io::Error),
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    #[error("this node's trust cannot be set up")]
    Trust(#[source] security::tls::TlsError),
    #[error("'{0}' is no role")]
    Role(String),
    #[error("the other side shows no certificate")]
    NoCertificate,
    #[error("the other side does not speak HTTP/2")]
    Protocol,
    #[error("HTTP/2: {0}")]
    Http(#[source] hyper::Error),
}

/// A connection to a node of the wished role.
pub(crate) struct Dialled {
    pub stream: TlsStream<TcpStream>,
    /// Fingerprint of the certificate at the other end: what tokens are narrowed to.
    pub callee: String,
}

/// Connects and checks that a node with `role` of the cluster under `authority` is at the other end.
pub(crate) async fn dial(
    address: &Address,
    role: &str,
    authority: Fingerprint,
    alpn: &[&[u8]],
) -> Result<Dialled, DialError> {
    let config = client_config(authority, alpn).map_err(DialError::Trust)?;
    let name = ServerName::try_from(role_host(role)).map_err(|_| DialError::Role(role.to_owned()))?;
    let tcp = connect(address).await.map_err(DialError::Connect)?;
    // Questions are small and must not wait for more; a socket that refuses the option still works.
    let _ = tcp.set_nodelay(true);
    let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(DialError::Tls)?;
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(|chain| chain.first()).ok_or(DialError::NoCertificate)?;
    let callee = Fingerprint::of(certificate).to_string();
    Ok(Dialled { stream, callee })
}

/// Keeps trying, with several attempts side by side, until the caller's time is over; an attempt that fails ends it.
async fn connect(address: &Address) -> io::Result<TcpStream> {
    let attempt = || TcpStream::connect((address.host.as_str(), address.port));
    let mut attempts = FuturesUnordered::new();
    attempts.push(attempt());
    loop {
        let is_full = attempts.len() >= ATTEMPTS_MAX;
        tokio::select! {
            Some(outcome) = attempts.next() => return outcome,
            () = tokio::time::sleep(STAGGER), if !is_full => attempts.push(attempt()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_a_url() {
        let parse = |url: &str| Address::parse(url).map(|address| address.to_string());
        assert_eq!(parse("https://tm1.example:9443").as_deref(), Some("tm1.example:9443"));
        assert_eq!(parse("https://[::1]:9443").as_deref(), Some("[::1]:9443"));
        assert_eq!(parse("http://tm1:9443"), None);
        assert_eq!(parse("https://tm1"), None);
    }
}
