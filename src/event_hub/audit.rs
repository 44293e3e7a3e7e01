//! Digests of what gateways must hold, so that they can find out that they hold something else.
//!
//! One reading serves every gateway of the same environments, and no heartbeat waits for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::content::{self, kind};
use domain::contract::event_bus::ContentDigest;
use domain::event::SCHEMA_VERSION;
use domain::runtime::Snapshot;
use store::StoreError;
use store::apim::{oauth, runtime_data};
use telemetry::error_chain::ErrorChain;

use crate::hub::Inner;

/// Different sets of environments that are remembered.
const SETS_MAX: usize = 64;

/// How long before its expiry a revocation stops to be compared: clocks differ, and each side forgets by its own.
const EXPIRY_MARGIN: Duration = Duration::from_secs(600);

/// The newest digest for each set of environments.
#[derive(Default)]
pub(crate) struct Audits(Mutex<HashMap<Vec<String>, Audit>>);

#[derive(Default)]
struct Audit {
    content: Option<ContentDigest>,
    started_at: Timestamp,
}

impl Audits {
    /// What is known for these environments, and whether the caller must look anew.
    fn find(&self, environments: &[String], now: Timestamp, interval: Duration) -> (Option<ContentDigest>, bool) {
        let mut audits = self.lock();
        // Who asks no more is forgotten; a clock that was set back must not stop the audits.
        audits.retain(|_, audit| now.since(audit.started_at) < interval.saturating_mul(10) && audit.started_at <= now);
        let is_full = audits.len() >= SETS_MAX;
        match audits.get_mut(environments) {
            Some(audit) => {
                let is_due = now.since(audit.started_at) >= interval;
                if is_due {
                    audit.started_at = now;
                }
                (audit.content.clone(), is_due)
            }
            None if is_full => (None, false),
            None => {
                audits.insert(environments.to_vec(), Audit { content: None, started_at: now });
                (None, true)
            }
        }
    }

    fn put(&self, environments: &[String], content: ContentDigest) {
        if let Some(audit) = self.lock().get_mut(environments) {
            audit.content = Some(content);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<String>, Audit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest digest for the environments, if there is one; when it is due, a new one is on its way afterwards.
pub(crate) fn content(hub: &Arc<Inner>, environments: &[String]) -> Option<ContentDigest> {
    let mut environments = environments.to_vec();
    environments.sort_unstable();
    environments.dedup();
    let interval = hub.config.audit_interval.get();
    let (content, is_due) = hub.audits.find(&environments, hub.clock.now(), interval);
    if is_due {
        tokio::spawn(look(Arc::clone(hub), environments));
    }
    content
}

async fn look(hub: Arc<Inner>, environments: Vec<String>) {
    match read(&hub, environments.clone()).await {
        Ok(content) => hub.audits.put(&environments, content),
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), "content for gateways to compare with cannot be read")
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum AuditError {
    #[error("runtime data cannot be read")]
    Store(#[from] StoreError),
    #[error("runtime data cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    #[error("the blocking task was stopped")]
    Stopped(#[from] tokio::task::JoinError),
}

async fn read(hub: &Arc<Inner>, environments: Vec<String>) -> Result<ContentDigest, AuditError> {
    let now = hub.clock.now();
    // One transaction, which sees one state of the database.
    let (snapshot, has_retired) = hub
        .apim
        .read(move |conn| {
            let snapshot = runtime_data::snapshot(conn, &environments, now)?;
            Ok::<_, StoreError>((snapshot, oauth::signing_keys::has_retired(conn, now)?))
        })
        .await?;
    tokio::task::spawn_blocking(move || digest(&snapshot, has_retired, now)).await?
}

fn digest(snapshot: &Snapshot, has_retired: bool, now: Timestamp) -> Result<ContentDigest, AuditError> {
    let revocations_after = now.plus(EXPIRY_MARGIN);
    let mut kinds = content::digests(&content::documents(snapshot, revocations_after)?);
    // A key that has just retired is in the gateways' sets until it is purged, which is announced.
    if has_retired {
        kinds.remove(kind::ISSUER);
    }
    let (at, revocation) = (snapshot.control.clone(), snapshot.revocation.clone());
    Ok(ContentDigest { at, revocation, schema: SCHEMA_VERSION, audited_at: now, revocations_after, kinds })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(60);

    #[test]
    fn one_reading_in_an_interval_serves_all_gateways_of_the_same_environments() {
        let (audits, first) = (Audits::default(), ["Default".to_owned()]);
        let at = Timestamp::from_secs;
        assert!(audits.find(&first, at(0), INTERVAL).1);
        assert!(!audits.find(&first, at(0), INTERVAL).1);
        assert!(audits.find(&["Other".to_owned()], at(1), INTERVAL).1);
        assert!(!audits.find(&first, at(59), INTERVAL).1);
        assert!(audits.find(&first, at(60), INTERVAL).1);
        assert!(!audits.find(&first, at(61), INTERVAL).1);
        // Set back: due at once, not in some hours.
        assert!(audits.find(&first, at(10), INTERVAL).1);
    }

    #[test]
    fn the_sets_are_bounded() {
        let audits = Audits::default();
        for number in 0..SETS_MAX + 5 {
            audits.find(&[number.to_string()], Timestamp::from_secs(0), INTERVAL);
        }
        assert_eq!(audits.lock().len(), SETS_MAX);
    }
}
