//! Reading everything back.

use std::collections::HashMap;
use std::sync::Arc;

use domain::event::{LogName, Position};
use domain::runtime::{DeployedRevision, GatewayApi, Snapshot};
use domain::{ApiId, Organization};
use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;

use super::PendingAck;
use super::change::Kind;
use crate::broker_log::number;

/// The stored state.
#[derive(Debug, Default)]
pub struct LastGoodState {
    /// What is wanted, with the positions at which it is true. The positions are empty when nothing was stored yet or
    /// a document was damaged: then only a snapshot of the hub makes the state whole.
    pub snapshot: Snapshot,
    /// Deployments that were loaded with success before: the fallback for wanted ones that cannot be loaded.
    pub served: Vec<DeployedRevision>,
    /// Documents by their address.
    pub artifacts: HashMap<String, Arc<GatewayApi>>,
    pub pending: Vec<PendingAck>,
    /// Number of documents that could not be read.
    pub damaged: usize,
}

pub(super) fn load(connection: &Connection) -> rusqlite::Result<LastGoodState> {
    let mut reader = Reader { connection, damaged: 0 };
    let mut snapshot = Snapshot {
        control: Position::default(),
        revocation: Position::default(),
        apis: reader.documents(Kind::Api)?,
        deployments: reader.documents(Kind::Deployment)?,
        applications: reader.documents(Kind::Application)?,
        key_mappings: reader.documents(Kind::KeyMapping)?,
        api_keys: reader.documents(Kind::ApiKey)?,
        subscriptions: reader.documents(Kind::Subscription)?,
        subscription_policies: reader.documents(Kind::SubscriptionPolicy)?,
        application_policies: reader.documents(Kind::ApplicationPolicy)?,
        issuers: reader.documents(Kind::Issuer)?,
        revocations: reader.documents(Kind::Revocation)?,
    };
    let served = reader.documents(Kind::Served)?;
    let artifacts = reader.artifacts()?;
    if reader.damaged == 0 {
        snapshot.control = position(connection, LogName::Control)?;
        snapshot.revocation = position(connection, LogName::Revocation)?;
    }
    Ok(LastGoodState { snapshot, served, artifacts, pending: pending(connection)?, damaged: reader.damaged })
}

/// Wanted deployments with the tenant that each belongs to; damaged ones are left out.
pub(super) fn deployments(connection: &Connection) -> rusqlite::Result<Vec<(Organization, DeployedRevision)>> {
    let mut statement =
        connection.prepare_cached("SELECT organization, document FROM runtime_rows WHERE kind = 'deployment'")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (organization, document) = row?;
        if let Ok(deployment) = serde_json::from_str(&document) {
            found.push((Organization::from_trusted(organization), deployment));
        }
    }
    Ok(found)
}

struct Reader<'a> {
    connection: &'a Connection,
    damaged: usize,
}

impl Reader<'_> {
    fn documents<T: DeserializeOwned>(&mut self, kind: Kind) -> rusqlite::Result<Vec<T>> {
        let mut statement =
            self.connection.prepare_cached("SELECT key, document FROM runtime_rows WHERE kind = ?1 ORDER BY key")?;
        let mut rows = statement.query([kind.as_str()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            match serde_json::from_str(row.get_ref(1)?.as_str()?) {
                Ok(value) => found.push(value),
                Err(error) => {
                    let key: String = row.get(0)?;
                    tracing::warn!(kind = kind.as_str(), key, %error, "row of the last good state cannot be read");
                    self.damaged += 1;
                }
            }
        }
        Ok(found)
    }

    /// Damaged documents are deleted, so that they are fetched anew.
    fn artifacts(&mut self) -> rusqlite::Result<HashMap<String, Arc<GatewayApi>>> {
        let mut statement = self.connection.prepare("SELECT hash, document FROM artifacts")?;
        let mut rows = statement.query([])?;
        let (mut found, mut bad) = (HashMap::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let hash: String = row.get(0)?;
            match serde_json::from_str(row.get_ref(1)?.as_str()?) {
                Ok(api) => drop(found.insert(hash, Arc::new(api))),
                Err(error) => {
                    tracing::warn!(artifact.hash = hash, %error, "artifact of the last good state cannot be read");
                    bad.push(hash);
                }
            }
        }
        for hash in &bad {
            self.connection.execute("DELETE FROM artifacts WHERE hash = ?1", [hash])?;
        }
        self.damaged += bad.len();
        Ok(found)
    }
}

pub(super) fn position(connection: &Connection, log: LogName) -> rusqlite::Result<Position> {
    let found = connection
        .query_row("SELECT log_id, number FROM positions WHERE log = ?1", [log.as_str()], |row| {
            Ok(Position { log_id: row.get(0)?, number: number(row.get(1)?) })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn pending(connection: &Connection) -> rusqlite::Result<Vec<PendingAck>> {
    let mut statement = connection.prepare("SELECT api_id, environment, organization, number FROM pending_acks")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (api_id, environment, organization, stored) = row?;
        // Only this room writes the column, always from an id.
        let Ok(api_id) = api_id.parse::<ApiId>() else { continue };
        let organization = Organization::from_trusted(organization);
        found.push(PendingAck { organization, api_id, environment, number: number(stored) });
    }
    Ok(found)
}
