//! A gateway's last good state on disk: what it serves, and up to which entries of the logs that is true.
//!
//! A batch of entries and its position change in one transaction, before anything is acknowledged, so that a gateway
//! starts and serves with everything else dead. Deployments that were persisted and not yet acknowledged are remembered
//! as pending, so that a crash in between loses no acknowledgement.

pub mod change;
mod load;
pub mod order;
mod rows;

use std::collections::{BTreeSet, HashSet};

use domain::event::{Event, LogName, Position};
use domain::runtime::{DeployedRevision, Snapshot};
use domain::{ApiId, Organization, Timestamp};
use rusqlite::params;

use crate::broker_log::stored;
use crate::carbon::Carbon;
use crate::error::NodeStoreError;
use change::{Kind, Row};
pub use load::{Content, LastGoodState};

/// The last good state, a part of the node's carbon store.
#[derive(Debug, Clone)]
pub struct LastGood {
    carbon: Carbon,
}

/// An API document as gateways load it, under its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// SHA-256 (hex) of `document`.
    pub hash: String,
    pub document: String,
}

/// A deployment or removal that the hub has not yet taken an acknowledgement of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PendingAck {
    pub organization: Organization,
    pub api_id: ApiId,
    pub environment: String,
    /// Number of the control entry (or snapshot) that brought it; settling an older one leaves a newer one pending.
    pub number: u64,
}

/// Consecutive entries of one log, to be persisted together.
#[derive(Debug)]
pub struct Batch<'a> {
    pub log: LogName,
    /// The position after the batch.
    pub position: &'a Position,
    /// The changes that concern this gateway; entries that do not are left out and only move the position.
    pub events: &'a [&'a Event],
    /// Documents that the events refer to and that are not stored yet.
    pub artifacts: &'a [Artifact],
    pub pending: &'a [PendingAck],
}

/// Which parts of a snapshot replace what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Everything but revocations.
    pub control: bool,
    pub revocation: bool,
}

impl Parts {
    /// Whether rows of this kind are replaced.
    #[must_use]
    pub fn covers(self, kind: Kind) -> bool {
        if kind == Kind::Revocation { self.revocation } else { self.control }
    }
}

impl LastGood {
    #[must_use]
    pub fn new(carbon: Carbon) -> Self {
        Self { carbon }
    }

    /// Persists a batch and its position in one transaction.
    ///
    /// # Errors
    /// [`NodeStoreError::OutOfOrder`] when the stored position has another log id or is not behind the batch's.
    pub fn apply(&self, batch: &Batch<'_>) -> Result<(), NodeStoreError> {
        let mut connection = self.carbon.file.lock();
        let transaction = connection.transaction()?;
        rows::advance(&transaction, batch)?;
        rows::insert_artifacts(&transaction, batch.artifacts)?;
        for event in batch.events {
            let replaced = rows::artifacts_of(&transaction, event)?;
            for change in change::of_event(event)? {
                rows::write(&transaction, change)?;
            }
            rows::drop_unused(&transaction, &replaced)?;
        }
        rows::insert_pending(&transaction, batch.pending)?;
        Ok(transaction.commit()?)
    }

    /// Replaces parts of the state by a snapshot and returns what is pending thereby: every deployment of the snapshot
    /// and every one that it no longer has.
    pub fn install(&self, snapshot: &Snapshot, parts: Parts) -> Result<Vec<PendingAck>, NodeStoreError> {
        self.install_with(snapshot, parts, &BTreeSet::new())
    }

    /// As [`Self::install`]; the rows of `kinds` are replaced as well, at the position that is stored.
    pub fn install_with(
        &self,
        snapshot: &Snapshot,
        parts: Parts,
        kinds: &BTreeSet<String>,
    ) -> Result<Vec<PendingAck>, NodeStoreError> {
        let mut connection = self.carbon.file.lock();
        let transaction = connection.transaction()?;
        let mut pending = Vec::new();
        if parts.revocation {
            transaction.execute("DELETE FROM runtime_rows WHERE kind = ?1", [Kind::Revocation.as_str()])?;
            rows::set_position(&transaction, LogName::Revocation, &snapshot.revocation)?;
        }
        if parts.control {
            pending = rows::install_control(&transaction, snapshot)?;
            rows::set_position(&transaction, LogName::Control, &snapshot.control)?;
        }
        if !parts.control && kinds.contains(Kind::Deployment.as_str()) {
            pending = rows::replace_deployments(&transaction, snapshot)?;
        }
        for kind in kinds {
            transaction.execute("DELETE FROM runtime_rows WHERE kind = ?1", [kind])?;
        }
        let is_meant = |row: &Row| parts.covers(row.kind) || kinds.contains(row.kind.as_str());
        for row in change::of_snapshot(snapshot)?.into_iter().filter(is_meant) {
            rows::put(&transaction, row)?;
        }
        transaction.execute(
            "DELETE FROM artifacts WHERE hash NOT IN \
             (SELECT artifact_hash FROM runtime_rows WHERE artifact_hash IS NOT NULL)",
            [],
        )?;
        transaction.commit()?;
        Ok(pending)
    }

    /// Stores documents ahead of the snapshot that refers to them.
    pub fn put_artifacts(&self, artifacts: &[Artifact]) -> Result<(), NodeStoreError> {
        let mut connection = self.carbon.file.lock();
        let transaction = connection.transaction()?;
        rows::insert_artifacts(&transaction, artifacts)?;
        Ok(transaction.commit()?)
    }

    /// The stored document with this SHA-256 (hex).
    pub fn find_artifact(&self, hash: &str) -> Result<Option<String>, NodeStoreError> {
        use rusqlite::OptionalExtension;
        let connection = self.carbon.file.lock();
        let mut statement = connection.prepare_cached("SELECT document FROM artifacts WHERE hash = ?1")?;
        Ok(statement.query_row([hash], |row| row.get(0)).optional()?)
    }

    /// Forgets a document, so that it is fetched anew.
    pub fn remove_artifact(&self, hash: &str) -> Result<(), NodeStoreError> {
        self.carbon.file.lock().execute("DELETE FROM artifacts WHERE hash = ?1", [hash])?;
        Ok(())
    }

    /// What is wanted, without documents, as it stands on disk now.
    pub fn content(&self) -> Result<Content, NodeStoreError> {
        let mut connection = self.carbon.file.lock();
        let transaction = connection.transaction()?;
        let content = load::content(&transaction)?;
        transaction.commit()?;
        Ok(content)
    }

    /// Addresses of all stored documents.
    pub fn artifact_hashes(&self) -> Result<HashSet<String>, NodeStoreError> {
        let connection = self.carbon.file.lock();
        let mut statement = connection.prepare("SELECT hash FROM artifacts")?;
        let hashes = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(hashes)
    }

    /// The hub has taken these acknowledgements. `Some` deployments are now what a restart falls back to when a newer
    /// one cannot be loaded.
    pub fn settle(&self, settled: &[(PendingAck, Option<DeployedRevision>)]) -> Result<(), NodeStoreError> {
        let mut connection = self.carbon.file.lock();
        let transaction = connection.transaction()?;
        for (pending, served) in settled {
            let (api_id, environment) = (pending.api_id.to_string(), &pending.environment);
            transaction.execute(
                "DELETE FROM pending_acks WHERE api_id = ?1 AND environment = ?2 AND number <= ?3",
                params![api_id, environment, stored(pending.number)],
            )?;
            let Some(deployment) = served else { continue };
            let old = rows::query_strings(&transaction, rows::HASHES_OF_SERVED, &[&api_id, environment])?;
            rows::put_served_if_wanted(&transaction, &pending.organization, deployment)?;
            rows::drop_unused(&transaction, &old)?;
        }
        Ok(transaction.commit()?)
    }

    /// Forgets revocations whose tokens have expired, and returns their number.
    pub fn forget_expired(&self, now: Timestamp) -> Result<usize, NodeStoreError> {
        let connection = self.carbon.file.lock();
        Ok(connection.execute("DELETE FROM runtime_rows WHERE expires_at <= ?1", [now.as_millis()])?)
    }

    /// Everything stored, as it was after the last batch; documents that cannot be read are counted and dropped.
    pub fn load(&self) -> Result<LastGoodState, NodeStoreError> {
        let mut connection = self.carbon.file.lock();
        let transaction = connection.transaction()?;
        let state = load::load(&transaction)?;
        transaction.commit()?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
