//! The rows of a gateway's disk, or its tables: the real changes on a map in place of a file.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{Event, LogName};
use domain::runtime::Snapshot;
use domain::{ApiId, Timestamp};
use node_store::last_good::change::{self, Change, Kind, Row};
use node_store::last_good::{Parts, order};

#[derive(Clone, Default)]
pub struct Rows(BTreeMap<(Kind, String), Row>);

/// What two holders must agree on: documents by kind and key.
pub type Content = BTreeMap<(Kind, String), String>;

impl Rows {
    pub fn apply(&mut self, event: &Event) {
        for change in change::of_event(event).unwrap() {
            match change {
                Change::Put(row) => self.put(row),
                Change::Delete { kind, key } => drop(self.0.remove(&(kind, key))),
                Change::DeleteOfApi(id) => self.0.retain(|_, row| row.api_id.as_ref() != Some(&id)),
                Change::DeleteOfApplication(id) => self.0.retain(|_, row| row.application_id.as_ref() != Some(&id)),
            }
        }
    }

    /// The rows as they are read back.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for row in self.0.values() {
            match row.kind {
                Kind::Api => snapshot.apis.push(serde_json::from_str(&row.document).unwrap()),
                Kind::Deployment => snapshot.deployments.push(serde_json::from_str(&row.document).unwrap()),
                Kind::Application => snapshot.applications.push(serde_json::from_str(&row.document).unwrap()),
                Kind::Revocation => snapshot.revocations.push(serde_json::from_str(&row.document).unwrap()),
                _ => {}
            }
        }
        snapshot
    }

    /// Replaces the rows of some kinds.
    pub fn mend(&mut self, snapshot: &Snapshot, kinds: &BTreeSet<String>) {
        let is_meant = |kind: Kind| kinds.contains(kind.as_str());
        self.0.retain(|(kind, _), _| !is_meant(*kind));
        for row in change::of_snapshot(snapshot).unwrap().into_iter().filter(|row| is_meant(row.kind)) {
            self.put(row);
        }
    }

    /// Takes one row away, as a damaged file does.
    pub fn lose_one(&mut self, index: usize) {
        if let Some(key) = self.0.keys().nth(index % self.0.len().max(1)).cloned() {
            self.0.remove(&key);
        }
    }

    pub fn install(&mut self, snapshot: &Snapshot, parts: Parts) {
        self.0.retain(|(kind, _), _| !parts.covers(*kind));
        for row in change::of_snapshot(snapshot).unwrap().into_iter().filter(|row| parts.covers(row.kind)) {
            self.put(row);
        }
    }

    /// Adds the revocations of `earlier`.
    pub fn absorb(&mut self, earlier: &Self) {
        for row in earlier.0.values().filter(|row| row.kind == Kind::Revocation) {
            self.put(row.clone());
        }
    }

    fn put(&mut self, row: Row) {
        let key = (row.kind, row.key.clone());
        let stored = self.0.get(&key).and_then(|stored| stored.expires_at);
        if let Some(row) = order::merged(stored, row) {
            self.0.insert(key, row);
        }
    }

    pub fn forget_expired(&mut self, now: Timestamp) {
        self.0.retain(|_, row| row.expires_at.is_none_or(|expires_at| expires_at > now));
    }

    /// Metadata of APIs that are not deployed says nothing, and expired revocations are nobody's business.
    pub fn content(&self, log: LogName, now: Timestamp) -> Content {
        let is_of_log = |kind: Kind| (kind == Kind::Revocation) == (log == LogName::Revocation);
        let rows = self.0.iter().filter(|((kind, _), row)| {
            *kind != Kind::Api && is_of_log(*kind) && row.expires_at.is_none_or(|expires_at| expires_at > now)
        });
        rows.map(|(key, row)| (key.clone(), row.document.clone())).collect()
    }

    /// Until when each revocation counts.
    pub fn revocations(&self) -> BTreeMap<String, Timestamp> {
        let rows = self.0.iter().filter(|((kind, _), _)| *kind == Kind::Revocation);
        rows.filter_map(|((_, key), row)| Some((key.clone(), row.expires_at?))).collect()
    }

    /// The revision that is deployed.
    pub fn revision(&self, api_id: ApiId) -> Option<String> {
        let row = self.0.get(&(Kind::Deployment, format!("{api_id}@Default")))?;
        row.artifact_hash.clone()
    }
}
