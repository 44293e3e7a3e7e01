//! The two databases, of nodes that have them.

use std::time::Duration;

use config::sections::database::Connection;
use store::migrate::{self, MigrateError, Migrated};
use telemetry::error_chain::ErrorChain;

use super::{Patient, Report};

/// Longest wait for a database: a firewall that drops packets would let it last for minutes.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn examine(patient: &Patient<'_>, report: &mut Report) {
    if !patient.loaded.profile.needs_databases() {
        return;
    }
    let section = &patient.loaded.config.database;
    one::<store::Apim>(patient, &section.apim_db, report).await;
    one::<store::Shared>(patient, &section.shared_db, report).await;
}

async fn one<K: Migrated>(patient: &Patient<'_>, connection: &Connection, report: &mut Report) {
    let (name, shown, url) = (K::NAME, &connection.url, connection.url.resolve(patient.home));
    if let Some(file) = url.strip_prefix("sqlite:")
        && !std::path::Path::new(file).exists()
    {
        // To look at it would make it.
        return report.fine(name, format!("{shown} will be made at the first start"));
    }
    let asked = patient.runtime.spawn_blocking(move || migrate::pending::<K>(&url));
    let unreachable = |report: &mut Report, reason: String| {
        let advice = format!(
            "see that the server runs and takes connections from this machine (listen_addresses, pg_hba.conf, firewalls), \
             and correct [database.{name}] url"
        );
        report.broken(name, format!("{shown} cannot be reached: {reason}"), advice);
    };
    match tokio::time::timeout(TIMEOUT, asked).await {
        Ok(Ok(Ok(pending))) if pending.is_empty() => report.fine(name, format!("{shown} has this version's schema")),
        Ok(Ok(Ok(pending))) => report.doubtful(
            name,
            format!("{shown} lacks {} migrations: {}", pending.len(), pending.join(", ")),
            "back the database up; the next start of a node runs them, or 'gatewright migrate'",
        ),
        Ok(Ok(Err(error @ MigrateError::Connect(_)))) => unreachable(report, ErrorChain(&error).to_string()),
        Ok(Ok(Err(error))) => report.broken(
            name,
            format!("{shown} cannot be used: {}", ErrorChain(&error)),
            "see that the user may create and read tables, and that no newer version of Gatewright has migrated it",
        ),
        Ok(Err(_stopped)) => unreachable(report, "the check ended early".to_owned()),
        Err(_elapsed) => unreachable(report, format!("no answer within {TIMEOUT:?}")),
    }
}
