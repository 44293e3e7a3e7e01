//! Gateway environments as the REST APIs show them; they come from configuration and real listeners.

/// A group of gateways that serve the same deployments (WSO2 `Environment`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Also its id, and the label by which gateways find their deployments.
    pub name: String,
    pub display_name: String,
    /// `hybrid`, `production` or `sandbox`: the keys that its gateways take.
    pub kind: String,
    /// Management URL of its gateways.
    pub server_url: String,
    pub vhosts: Vec<Vhost>,
}

/// A host name under which an environment's gateways are reached (WSO2 `VHost`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vhost {
    pub host: String,
    pub http_port: u16,
    pub https_port: u16,
    pub ws_port: u16,
    pub wss_port: u16,
}

impl Environment {
    /// Name of the environment that always exists.
    pub const DEFAULT: &'static str = "Default";

    #[must_use]
    pub fn vhost(&self, host: &str) -> Option<&Vhost> {
        self.vhosts.iter().find(|vhost| vhost.host == host)
    }
}

impl Vhost {
    /// Base URLs of an API at `context`, https first, for the transports that it serves.
    #[must_use]
    pub fn urls(&self, context: &str, transports: &[String]) -> Vec<String> {
        let serves = |transport: &str| transports.iter().any(|own| own == transport);
        let mut urls = Vec::new();
        if serves("https") {
            urls.push(format!("https://{}:{}{context}", self.host, self.https_port));
        }
        if serves("http") {
            urls.push(format!("http://{}:{}{context}", self.host, self.http_port));
        }
        urls
    }
}
