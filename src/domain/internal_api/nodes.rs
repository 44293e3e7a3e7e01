//! Joining the cluster: served by traffic managers.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

pub const BASE: &str = "/internal/nodes/v1";
/// [`EnrolRequest`] -> [`Enrolled`]; with an enrolment token, or with a node token to renew it.
pub const ENROL: &str = "/enrol";
/// `{}` -> [`TrafficManagerInfo`].
pub const TRAFFIC_MANAGER: &str = "/traffic-manager";

/// A node that wants a token and a certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    pub node_id: String,
    /// Those of the token, or fewer.
    pub roles: Vec<String>,
    /// PKCS #10 in PEM.
    pub certificate_request: String,
}

/// What the node gets. A secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolled {
    pub token: String,
    /// PEM, the authority's certificate last.
    pub chain: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolled").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Where a traffic manager takes what is not HTTP.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrafficManagerInfo {
    pub node_id: String,
    /// Port of the lease protocol over TLS, on the same host.
    pub lease_port: u16,
}
