//! The sections of `deployment.toml`.

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

use crate::Config;

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
    findings
        .extend(config.tls.files().err().map(|error| Finding { key: "tls.certificate", reason: error.to_string() }));
    findings
}
