//! The sections of `deployment.toml`.

pub mod cluster;
pub mod control_plane;
pub mod database;
pub mod event_hub;
pub mod fetch;
pub mod gateway;
pub mod log;
pub mod oauth;
pub mod server;
pub mod super_admin;
pub mod throttling;
pub mod tls;

use crate::{Config, Profile, Role};

/// Something wrong with values that are good one by one.
pub(crate) struct Finding {
    /// Dotted key to whose place the error is pinned.
    pub key: &'static str,
    pub reason: String,
}

/// Rules that types cannot say.
pub(crate) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut check = |holds: bool, key: &'static str, reason: &str| {
        if !holds {
            findings.push(Finding { key, reason: reason.to_owned() });
        }
    };
    let at_least_one = "must be at least 1";
    check(config.database.apim_db.pool_size > 0, "database.apim_db.pool_size", at_least_one);
    check(config.database.shared_db.pool_size > 0, "database.shared_db.pool_size", at_least_one);
    let at_least_a_second = "must be at least 1s";
    let (apim, shared) = (&config.database.apim_db, &config.database.shared_db);
    check(apim.connect_timeout.as_secs() > 0, "database.apim_db.connect_timeout", at_least_a_second);
    check(shared.connect_timeout.as_secs() > 0, "database.shared_db.connect_timeout", at_least_a_second);
    check(apim.keepalive_interval.as_secs() > 0, "database.apim_db.keepalive_interval", at_least_a_second);
    check(shared.keepalive_interval.as_secs() > 0, "database.shared_db.keepalive_interval", at_least_a_second);
    check(config.server.connections_max > 0, "server.connections_max", at_least_one);
    check(!config.server.hostname.trim().is_empty(), "server.hostname", "must not be empty");
    check(config.server.body_max.get() > 0, "server.body_max", "must be more than 0B");
    let throttling = &config.throttling;
    check(throttling.ledger_writes_per_second > 0, "throttling.ledger_writes_per_second", at_least_one);
    check(throttling.ledger_blocks_per_second > 0, "throttling.ledger_blocks_per_second", at_least_one);
    for (key, urls) in [
        ("cluster.traffic_managers", &config.cluster.traffic_managers),
        ("cluster.key_managers", &config.cluster.key_managers),
    ] {
        let wrong = urls.iter().find(|url| !is_peer(url));
        findings
            .extend(wrong.map(|url| Finding { key, reason: format!("'{url}' is not of the form https://HOST:PORT") }));
    }
    let node_id_error = config.cluster.node_id.as_deref().and_then(cluster::Cluster::node_id_error);
    findings.extend(node_id_error.map(|reason| Finding { key: "cluster.node_id", reason: reason.to_owned() }));
    for environment in &config.control_plane.environments {
        if environment.name.is_empty() || environment.vhosts.is_empty() {
            let reason = format!("environment '{}' needs a name and at least one vhost", environment.name);
            findings.push(Finding { key: "control_plane.environments", reason });
        }
    }
    findings
        .extend(config.tls.files().err().map(|error| Finding { key: "tls.certificate", reason: error.to_string() }));
    findings
}

/// What the profile's roles need of the configuration.
pub(crate) fn role_findings(config: &Config, profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut missing = |key: &'static str, role: Role| {
        let reason =
            format!("is empty, and this profile does not play the role {}: name at least one URL", role.as_str());
        findings.push(Finding { key, reason });
    };
    if !profile.has(Role::TrafficManager) && config.cluster.traffic_managers.is_empty() {
        missing("cluster.traffic_managers", Role::TrafficManager);
    }
    let asks_key_managers = profile.has_any(&[Role::Publisher, Role::Admin, Role::Devportal, Role::Gateway]);
    if asks_key_managers && !profile.has(Role::KeyManager) && config.cluster.key_managers.is_empty() {
        missing("cluster.key_managers", Role::KeyManager);
    }
    let is_split = profile.needs_databases() && !(profile.has(Role::KeyManager) && profile.has(Role::Publisher));
    if is_split && config.oauth.issuer.is_none() {
        let reason = "must be set, to the same on all nodes, e.g. https://HOST/oauth2/token".to_owned();
        findings.push(Finding { key: "oauth.issuer", reason });
    }
    if profile.has(Role::EventHub) != profile.has(Role::TrafficManager) {
        let reason = "the roles traffic-manager and event-hub go together".to_owned();
        findings.push(Finding { key: "roles", reason });
    }
    findings
}

/// `https://HOST:PORT`, and nothing behind it.
fn is_peer(url: &str) -> bool {
    let Some(authority) = url.strip_prefix("https://") else { return false };
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
