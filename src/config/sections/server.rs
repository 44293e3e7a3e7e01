//! `[server]`: addresses, management listeners and their limits.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::human::{ByteSize, HumanDuration};

/// Where the node listens, and the limits of its management listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address that every listener is bound to. `0.0.0.0` or `::` takes calls from other machines.
    pub bind: IpAddr,
    /// Name under which clients reach this node; it stands in URLs that the node hands out and in its own certificate.
    pub hostname: String,
    /// Added to every port, so that several nodes fit on one machine.
    pub port_offset: u16,
    /// HTTPS port of the REST APIs, the token service, health and metrics. 0 takes any free port.
    pub management_port: u16,
    /// Plain HTTP port that answers `/services/Version` only, for tools that wait for it. Off when unset.
    pub version_port: Option<u16>,
    /// Threads that serve management calls. 0 takes one per core, at most 4.
    pub workers: u16,
    /// Largest JSON or form body of a management call.
    pub body_max: ByteSize,
    /// Largest multipart upload, all parts together.
    pub upload_max: ByteSize,
    /// Most connections that are open at a time on each worker.
    pub connections_max: u32,
    /// How long an idle connection stays open.
    pub keep_alive: HumanDuration,
    /// Longest wait for the head of a request.
    pub head_timeout: HumanDuration,
    /// Longest wait for the body of a request.
    pub body_timeout: HumanDuration,
    /// How long after SIGTERM the node goes on serving while `/health/ready` already says 503, so that load balancers send
    /// nothing more when connections are closed. Longer than a balancer takes to notice; 0s where there is none.
    pub drain_delay: HumanDuration,
    /// How long calls in flight may go on after SIGTERM and that delay.
    pub drain_timeout: HumanDuration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            hostname: "localhost".to_owned(),
            port_offset: 0,
            management_port: 9443,
            version_port: None,
            workers: 0,
            body_max: ByteSize::mib(1),
            upload_max: ByteSize::mib(32),
            connections_max: 10_000,
            keep_alive: HumanDuration::from_secs(75),
            head_timeout: HumanDuration::from_secs(10),
            body_timeout: HumanDuration::from_secs(60),
            drain_delay: HumanDuration::from_secs(0),
            drain_timeout: HumanDuration::from_secs(30),
        }
    }
}
