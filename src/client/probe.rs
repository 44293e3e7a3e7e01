//! Looks at one other node step by step, for operators: its name, a connection, TLS under the cluster's authority, what it says
//! of itself, and whether it takes this node's token.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::Handle;

use crate::leases;
use crate::membership::Membership;
use crate::peers::{Address, PeerError, PeerOptions, Peers, Repeat};

/// What stands in the way, in the order in which it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("'{0}' is not of the form https://HOST:PORT")]
    Url(String),
    #[error("the name '{host}' cannot be resolved: {reason}")]
    Name { host: String, reason: String },
    #[error("no connection: {0}")]
    Connection(String),
    #[error("no secured connection: {0}")]
    Tls(String),
    #[error("it refuses this node's token")]
    Token,
    #[error("it does not answer as it should: {0}")]
    Answer(String),
}

/// What a node that was reached says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Whether it is ready itself.
    pub is_ready: bool,
    /// How far its clock is ahead of this one, to the second; unknown when it does not tell.
    pub clock_ahead_secs: Option<i64>,
}

/// One peer, and who asks.
pub struct Probe {
    role: &'static str,
    url: String,
    membership: Membership,
    options: PeerOptions,
    runtime: Handle,
}

impl Probe {
    #[must_use]
    pub fn new(role: &'static str, url: &str, membership: Membership, options: PeerOptions, runtime: Handle) -> Self {
        Self { role, url: url.to_owned(), membership, options, runtime }
    }

    /// Up to the peer's own word on its health; no token is shown.
    pub async fn reach(&self) -> Result<Reached, Obstacle> {
        let address = Address::parse(&self.url).ok_or_else(|| Obstacle::Url(self.url.clone()))?;
        self.connect(&address).await?;
        let request = Request::builder().method(Method::GET).uri("/health/ready").body(Bytes::new());
        let request = request.map_err(|error| Obstacle::Answer(error.to_string()))?;
        let response = self.peers().forward(request).await.map_err(|error| match error {
            PeerError::Unreachable { reasons, .. } => Obstacle::Tls(self.without_address(&reasons)),
            error => Obstacle::Answer(error.to_string()),
        })?;
        let told = response.headers().get(hyper::header::DATE).and_then(|date| date.to_str().ok());
        let clock_ahead_secs = told.and_then(seconds_of_date).map(|told| told - self.membership.now().as_secs());
        Ok(Reached { is_ready: response.status() == StatusCode::OK, clock_ahead_secs })
    }

    /// Whether the node's token opens `path`. Nothing is asked for: guards answer before a body is read, and the body is none
    /// that the peer could take.
    pub async fn show_token(&self, path: &str) -> Result<(), Obstacle> {
        match self.peers().bytes(path, &json!({}), Repeat::Safe, self.options.answer_timeout).await {
            Ok(_) | Err(PeerError::Status { status: 400 | 422, .. }) => Ok(()),
            Err(PeerError::Refused { .. }) => Err(Obstacle::Token),
            Err(PeerError::Unreachable { reasons, .. }) => Err(Obstacle::Answer(self.without_address(&reasons))),
            Err(error) => Err(Obstacle::Answer(error.to_string())),
        }
    }

    /// Whether a traffic manager would hand out leases on its own port for that.
    pub async fn ask_for_leases(&self) -> Result<(), Obstacle> {
        let peers = self.peers();
        let asked = leases::probe(&peers);
        match tokio::time::timeout(self.options.connect_timeout + self.options.answer_timeout, asked).await {
            Ok(outcome) => outcome.map_err(Obstacle::Answer),
            Err(_elapsed) => Err(Obstacle::Answer("no answer in time".to_owned())),
        }
    }

    fn peers(&self) -> Peers {
        let urls = std::slice::from_ref(&self.url);
        Peers::new(self.role, urls, self.membership.clone(), self.options, self.runtime.clone())
    }

    async fn connect(&self, address: &Address) -> Result<(), Obstacle> {
        let limit = self.options.connect_timeout;
        let unknown = |reason: String| Obstacle::Name { host: address.host.clone(), reason };
        let found = within(limit, lookup_host((address.host.as_str(), address.port))).await.map_err(unknown)?;
        let addresses: Vec<_> = found.collect();
        match within(limit, TcpStream::connect(addresses.as_slice())).await {
            Ok(_connection) => Ok(()),
            Err(reason) => Err(Obstacle::Connection(reason)),
        }
    }

    /// Reasons of a list with one peer, whose address the reader knows.
    fn without_address(&self, reasons: &[String]) -> String {
        let address = Address::parse(&self.url).map(|address| format!("{address}: ")).unwrap_or_default();
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.strip_prefix(&address).unwrap_or(reason)).collect();
        reasons.join("; ")
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {limit:?}")),
    }
}

/// Of an HTTP date (RFC 9110 section 5.6.7).
fn seconds_of_date(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(seconds_of_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds_of_date("yesterday"), None);
    }
}
