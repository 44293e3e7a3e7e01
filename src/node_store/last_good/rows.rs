//! The statements behind the last good state; each runs inside the caller's transaction.

use std::collections::{HashMap, HashSet};

use domain::event::{Event, LogName, Position, SCHEMA_VERSION};
use domain::runtime::{DeployedRevision, Snapshot};
use domain::{ApiId, Organization, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::change::{self, Change, Kind, Row};
use super::{Artifact, Batch, PendingAck, load, order};
use crate::broker_log::stored;
use crate::error::NodeStoreError;

pub(super) const HASHES_OF_SERVED: &str =
    "SELECT artifact_hash FROM runtime_rows WHERE kind = 'served' AND key = ?1 || '@' || ?2";

pub(super) fn advance(transaction: &Transaction<'_>, batch: &Batch<'_>) -> Result<(), NodeStoreError> {
    let (log, position) = (batch.log.as_str(), batch.position);
    if !order::follows(&load::position(transaction, batch.log)?, position) {
        return Err(NodeStoreError::OutOfOrder { log, offered: position.number });
    }
    transaction
        .prepare_cached("UPDATE positions SET number = ?2, schema = min(schema, ?3) WHERE log = ?1")?
        .execute(params![log, stored(position.number), SCHEMA_VERSION])?;
    Ok(())
}

pub(super) fn set_position(transaction: &Transaction<'_>, log: LogName, position: &Position) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO positions (log, log_id, number, schema) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (log) \
         DO UPDATE SET log_id = excluded.log_id, number = excluded.number, schema = excluded.schema",
        params![log.as_str(), position.log_id, stored(position.number), SCHEMA_VERSION],
    )?;
    Ok(())
}

/// Removes the old control part and notes all deployments, old and new, as pending.
pub(super) fn install_control(
    transaction: &Transaction<'_>,
    snapshot: &Snapshot,
) -> Result<Vec<PendingAck>, NodeStoreError> {
    let pending = replace_deployments(transaction, snapshot)?;
    transaction.execute(
        "DELETE FROM runtime_rows WHERE kind NOT IN (?1, ?2)",
        [Kind::Revocation.as_str(), Kind::Served.as_str()],
    )?;
    Ok(pending)
}

/// Removes the old deployments and notes them, with the new ones, as pending.
pub(super) fn replace_deployments(
    transaction: &Transaction<'_>,
    snapshot: &Snapshot,
) -> Result<Vec<PendingAck>, NodeStoreError> {
    let number = snapshot.control.number;
    let organizations: HashMap<_, _> = snapshot.apis.iter().map(|api| (api.api_id, &api.organization)).collect();
    let mut pending: HashMap<(ApiId, String), PendingAck> = HashMap::new();
    for (organization, deployment) in load::deployments(transaction)? {
        let (api_id, environment) = (deployment.api_id, deployment.environment);
        pending.insert((api_id, environment.clone()), PendingAck { organization, api_id, environment, number });
    }
    for deployment in &snapshot.deployments {
        // A deployment without its API cannot be served; the snapshot comes from one transaction, so there is none.
        let Some(organization) = organizations.get(&deployment.api_id) else { continue };
        let (api_id, environment) = (deployment.api_id, deployment.environment.clone());
        let organization = (*organization).clone();
        pending.insert((api_id, environment.clone()), PendingAck { organization, api_id, environment, number });
    }
    transaction.execute("DELETE FROM runtime_rows WHERE kind = ?1", [Kind::Deployment.as_str()])?;
    let kept: HashSet<_> =
        snapshot.deployments.iter().map(|wanted| change::deployment_key(wanted.api_id, &wanted.environment)).collect();
    for key in query_strings(transaction, "SELECT key FROM runtime_rows WHERE kind = 'served'", &[])? {
        if !kept.contains(&key) {
            write(transaction, Change::Delete { kind: Kind::Served, key })?;
        }
    }
    transaction.execute("DELETE FROM pending_acks WHERE number > ?1", [stored(number)])?;
    let pending: Vec<_> = pending.into_values().collect();
    insert_pending(transaction, &pending)?;
    Ok(pending)
}

pub(super) fn insert_artifacts(transaction: &Transaction<'_>, artifacts: &[Artifact]) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO artifacts (hash, document) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING")?;
    for artifact in artifacts {
        insert.execute([&artifact.hash, &artifact.document])?;
    }
    Ok(())
}

pub(super) fn insert_pending(transaction: &Transaction<'_>, pending: &[PendingAck]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO pending_acks (api_id, environment, organization, number) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (api_id, environment) DO UPDATE SET organization = excluded.organization, number = excluded.number",
    )?;
    for ack in pending {
        let organization = ack.organization.as_str();
        insert.execute(params![ack.api_id.to_string(), ack.environment, organization, stored(ack.number)])?;
    }
    Ok(())
}

/// Documents that an event may leave without a user.
pub(super) fn artifacts_of(transaction: &Transaction<'_>, event: &Event) -> rusqlite::Result<Vec<String>> {
    let api_id = match event {
        Event::ApiDeployed { deployment, .. } => deployment.api_id,
        Event::ApiUndeployed { api_id, .. } | Event::ApiDeleted { api_id, .. } => *api_id,
        _ => return Ok(Vec::new()),
    };
    let of_api = "SELECT DISTINCT artifact_hash FROM runtime_rows WHERE api_id = ?1 AND artifact_hash IS NOT NULL";
    query_strings(transaction, of_api, &[&api_id.to_string()])
}

pub(super) fn drop_unused(transaction: &Transaction<'_>, hashes: &[String]) -> rusqlite::Result<()> {
    for hash in hashes {
        transaction
            .prepare_cached(
                "DELETE FROM artifacts WHERE hash = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM runtime_rows WHERE artifact_hash = ?1)",
            )?
            .execute([hash])?;
    }
    Ok(())
}

/// An acknowledgement may be taken after the API was removed again: then there is nothing to fall back to.
pub(super) fn put_served_if_wanted(
    transaction: &Transaction<'_>,
    organization: &Organization,
    deployment: &DeployedRevision,
) -> Result<(), NodeStoreError> {
    let key = change::deployment_key(deployment.api_id, &deployment.environment);
    let wanted =
        query_strings(transaction, "SELECT key FROM runtime_rows WHERE kind = 'deployment' AND key = ?1", &[&key])?;
    if !wanted.is_empty() {
        put(transaction, change::deployment_row(Kind::Served, organization, deployment)?)?;
    }
    Ok(())
}

pub(super) fn write(transaction: &Transaction<'_>, change: Change) -> Result<(), NodeStoreError> {
    match change {
        Change::Put(row) => put(transaction, row)?,
        Change::Delete { kind, key } => {
            let delete = "DELETE FROM runtime_rows WHERE kind = ?1 AND key = ?2";
            transaction.prepare_cached(delete)?.execute([kind.as_str(), key.as_str()])?;
        }
        Change::DeleteOfApi(api_id) => {
            transaction.prepare_cached("DELETE FROM runtime_rows WHERE api_id = ?1")?.execute([api_id])?;
        }
        Change::DeleteOfApplication(id) => {
            transaction.prepare_cached("DELETE FROM runtime_rows WHERE application_id = ?1")?.execute([id])?;
        }
    }
    Ok(())
}

pub(super) fn put(transaction: &Transaction<'_>, row: Row) -> Result<(), NodeStoreError> {
    let stored = match row.kind {
        Kind::Revocation => expiry_of(transaction, &row)?,
        // Only revocations depend on what is there.
        _ => None,
    };
    let Some(row) = order::merged(stored, row) else { return Ok(()) };
    transaction
        .prepare_cached(
            "INSERT INTO runtime_rows \
             (kind, key, organization, api_id, application_id, artifact_hash, expires_at, document) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (kind, key) DO UPDATE SET \
             organization = excluded.organization, api_id = excluded.api_id, application_id = excluded.application_id, \
             artifact_hash = excluded.artifact_hash, expires_at = excluded.expires_at, document = excluded.document",
        )?
        .execute(params![
            row.kind.as_str(),
            row.key,
            row.organization,
            row.api_id,
            row.application_id,
            row.artifact_hash,
            row.expires_at.map(Timestamp::as_millis),
            row.document,
        ])?;
    Ok(())
}

fn expiry_of(transaction: &Transaction<'_>, row: &Row) -> rusqlite::Result<Option<Timestamp>> {
    let mut statement =
        transaction.prepare_cached("SELECT expires_at FROM runtime_rows WHERE kind = ?1 AND key = ?2")?;
    let stored: Option<Option<i64>> =
        statement.query_row([row.kind.as_str(), &row.key], |found| found.get(0)).optional()?;
    Ok(stored.flatten().map(Timestamp::from_millis))
}

pub(super) fn query_strings(
    connection: &Connection,
    sql: &str,
    arguments: &[&String],
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(arguments), |row| row.get(0))?;
    rows.collect()
}
