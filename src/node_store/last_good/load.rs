//! Reading everything back.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::event::{LogName, Position, SCHEMA_VERSION};
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
    /// Logs whose part was written by an older release, which may have skipped or dropped what this one understands.
    pub outdated: Vec<LogName>,
}

/// What is wanted, as it stands on disk.
#[derive(Debug, Default)]
pub struct Content {
    /// With the stored positions, also when something is damaged.
    pub snapshot: Snapshot,
    /// Kinds of which a row cannot be read.
    pub damaged: BTreeSet<String>,
}

pub(super) fn content(connection: &Connection) -> rusqlite::Result<Content> {
    let mut reader = Reader { connection, damaged: 0, kinds: BTreeSet::new() };
    let snapshot = reader.snapshot()?;
    Ok(Content { snapshot, damaged: reader.kinds })
}

pub(super) fn load(connection: &Connection) -> rusqlite::Result<LastGoodState> {
    let mut reader = Reader { connection, damaged: 0, kinds: BTreeSet::new() };
    let mut snapshot = reader.snapshot()?;
    let served = reader.documents(Kind::Served)?;
    let artifacts = reader.artifacts()?;
    if reader.damaged > 0 {
        (snapshot.control, snapshot.revocation) = (Position::default(), Position::default());
    }
    let outdated = outdated(connection)?;
    Ok(LastGoodState { snapshot, served, artifacts, pending: pending(connection)?, damaged: reader.damaged, outdated })
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
    kinds: BTreeSet<String>,
}

impl Reader<'_> {
    fn snapshot(&mut self) -> rusqlite::Result<Snapshot> {
        Ok(Snapshot {
            control: position(self.connection, LogName::Control)?,
            revocation: position(self.connection, LogName::Revocation)?,
            apis: self.documents(Kind::Api)?,
            deployments: self.documents(Kind::Deployment)?,
            applications: self.documents(Kind::Application)?,
            key_mappings: self.documents(Kind::KeyMapping)?,
            api_keys: self.documents(Kind::ApiKey)?,
            subscriptions: self.documents(Kind::Subscription)?,
            subscription_policies: self.documents(Kind::SubscriptionPolicy)?,
            application_policies: self.documents(Kind::ApplicationPolicy)?,
            advanced_policies: self.documents(Kind::AdvancedPolicy)?,
            custom_rules: self.documents(Kind::CustomRule)?,
            deny_policies: self.documents(Kind::DenyPolicy)?,
            throttle_resets: self.documents(Kind::ThrottleReset)?,
            tenant_settings: self.documents(Kind::TenantSettings)?,
            issuers: self.documents(Kind::Issuer)?,
            revocations: self.documents(Kind::Revocation)?,
        })
    }

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
                    self.kinds.insert(kind.as_str().to_owned());
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

fn outdated(connection: &Connection) -> rusqlite::Result<Vec<LogName>> {
    let mut statement = connection.prepare("SELECT log FROM positions WHERE schema < ?1")?;
    let names: Vec<String> =
        statement.query_map([SCHEMA_VERSION], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(LogName::ALL.into_iter().filter(|log| names.iter().any(|name| name == log.as_str())).collect())
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
