//! `[gateway]`: the data plane's listeners, limits and time-outs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::human::{ByteSize, HumanDuration};

/// How the gateway takes calls and passes them on. Address, port offset and drain time are those of `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// Labels of the environments whose deployments this gateway serves.
    pub environments: Vec<String>,
    /// Port for plain HTTP. 0 takes any free port.
    pub http_port: u16,
    /// Port for HTTPS (HTTP/1.1 and HTTP/2). 0 takes any free port.
    pub https_port: u16,
    /// Threads that serve calls, each with its own sockets and back-end connections. 0 takes one per core.
    pub workers: u16,
    /// Most client connections that are open at a time on each of the two ports.
    pub connections_max: u32,
    /// Longest wait for a complete request head, the idle time before it and TLS handshakes included.
    pub head_timeout: HumanDuration,
    /// Largest request head: request line and all headers.
    pub head_max: ByteSize,
    /// Most header lines of a request.
    pub headers_max: u16,
    /// Largest request body; bodies are streamed, never held. 0B sets no limit.
    pub body_max: ByteSize,
    /// Longest pause of a client or a back end in the middle of a body.
    pub body_idle_timeout: HumanDuration,
    /// Most concurrent streams of one HTTP/2 connection.
    pub http2_streams_max: u32,
    /// Addresses (`10.0.0.7`) and networks (`10.0.0.0/8`) of load balancers whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<String>,
    /// Verified tokens that are remembered, so that a token's signature is checked once.
    pub token_cache_max: u32,
    /// Throttle keys whose budget is held locally; calls beyond ask the traffic manager one by one.
    pub throttle_keys_max: u32,
    /// Whether the gateway passes `/token`, `/revoke`, `/authorize` and `/userinfo` on to the key managers.
    pub token_proxy: bool,
    /// A gateway that did not hear from the event hub for this long is no longer ready, so that load balancers pass it by; it
    /// goes on serving. 0s sets no limit.
    pub max_stale: HumanDuration,
    /// Connections to back ends.
    pub upstream: Upstream,
    /// What browsers are told about APIs that do not say it themselves.
    pub cors: Cors,
}

/// `[gateway.upstream]`: connections to back ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upstream {
    /// Longest wait for a connection, name resolution and TLS handshake included.
    pub connect_timeout: HumanDuration,
    /// Longest wait for a response head once the request is sent; an API's own endpoint time-out goes before it.
    pub response_timeout: HumanDuration,
    /// How long an unused connection is kept.
    pub idle_timeout: HumanDuration,
    /// Most unused connections kept per back end and worker.
    pub idle_max: u32,
    /// PEM file with further certificate authorities that back ends may be signed by.
    pub extra_ca: Option<PathBuf>,
}

/// `[gateway.cors]`: what browsers are told about APIs that do not say it themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Whether the gateway answers preflights and marks its answers; false switches this off for every API.
    pub enabled: bool,
    /// Origins whose pages may call; `*` alone is any origin, inside a text any part of one.
    pub allow_origins: Vec<String>,
    /// Methods that pages may use, as far as the resource has them.
    pub allow_methods: Vec<String>,
    /// Headers that pages may send.
    pub allow_headers: Vec<String>,
    /// Whether pages may send cookies and read the answer; never together with any origin.
    pub allow_credentials: bool,
    /// Headers of answers that pages may read beside the usual ones, for every API.
    pub expose_headers: Vec<String>,
    /// How long browsers may remember a preflight, for every API; 0s leaves it to them.
    pub max_age: HumanDuration,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            environments: vec!["Default".to_owned()],
            http_port: 8280,
            https_port: 8243,
            workers: 0,
            connections_max: 20_000,
            head_timeout: HumanDuration::from_secs(60),
            head_max: ByteSize::kib(64),
            headers_max: 100,
            body_max: ByteSize::mib(1024),
            body_idle_timeout: HumanDuration::from_secs(60),
            http2_streams_max: 200,
            trusted_proxies: Vec::new(),
            token_cache_max: 50_000,
            throttle_keys_max: 200_000,
            token_proxy: true,
            max_stale: HumanDuration::from_secs(0),
            upstream: Upstream::default(),
            cors: Cors::default(),
        }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            connect_timeout: HumanDuration::from_secs(10),
            response_timeout: HumanDuration::from_secs(60),
            idle_timeout: HumanDuration::from_secs(30),
            idle_max: 256,
            extra_ca: None,
        }
    }
}

impl Default for Cors {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            enabled: true,
            allow_origins: names(&["*"]),
            allow_methods: names(&["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]),
            allow_headers: names(&[
                "authorization",
                "Access-Control-Allow-Origin",
                "Content-Type",
                "SOAPAction",
                "apikey",
                "Internal-Key",
            ]),
            allow_credentials: false,
            expose_headers: Vec::new(),
            max_age: HumanDuration::from_secs(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_left_out_has_its_default() {
        let gateway: Gateway = toml::from_str("http_port = 0\n[upstream]\nconnect_timeout = '2s'").unwrap();
        assert_eq!(gateway.http_port, 0);
        assert_eq!(gateway.https_port, 8243);
        assert_eq!(gateway.upstream.connect_timeout, HumanDuration::from_secs(2));
        assert_eq!(gateway.upstream.idle_max, 256);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<Gateway>("htp_port = 1").is_err());
    }
}
