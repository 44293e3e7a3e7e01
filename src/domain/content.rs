//! What a gateway of some environments holds, in a form that two sides can compare: the rows of each kind, and a digest
//! of them in which order does not count.
//!
//! Only what both sides hold for sure is compared. A gateway also knows metadata of APIs that are not deployed to its
//! environments, and either side may have forgotten a revocation that is about to expire.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use crate::contract::event_bus::ContentDigest;
use crate::event::SCHEMA_VERSION;
use crate::runtime::Snapshot;
use crate::{ApiId, Timestamp};

/// Names of the kinds, as in the gateway's store.
pub mod kind {
    pub const API: &str = "api";
    pub const DEPLOYMENT: &str = "deployment";
    pub const APPLICATION: &str = "application";
    pub const KEY_MAPPING: &str = "key_mapping";
    pub const API_KEY: &str = "api_key";
    pub const SUBSCRIPTION: &str = "subscription";
    pub const SUBSCRIPTION_POLICY: &str = "subscription_policy";
    pub const APPLICATION_POLICY: &str = "application_policy";
    pub const ADVANCED_POLICY: &str = "advanced_policy";
    pub const CUSTOM_RULE: &str = "custom_rule";
    pub const DENY_POLICY: &str = "deny_policy";
    pub const THROTTLE_RESET: &str = "throttle_reset";
    pub const TENANT_SETTINGS: &str = "tenant_settings";
    pub const ISSUER: &str = "issuer";
    pub const REVOCATION: &str = "revocation";
}

/// Canonical documents by kind.
pub type Documents = BTreeMap<&'static str, BTreeSet<String>>;

/// The rows of the snapshot that both sides hold for sure. Revocations count when they expire after `revocations_after`.
///
/// # Errors
/// When a row cannot be written as JSON.
pub fn documents(snapshot: &Snapshot, revocations_after: Timestamp) -> Result<Documents, serde_json::Error> {
    let deployed: HashSet<ApiId> = snapshot.deployments.iter().map(|deployment| deployment.api_id).collect();
    let apis = snapshot.apis.iter().filter(|api| deployed.contains(&api.api_id));
    let revocations = snapshot.revocations.iter().filter(|entry| entry.expires_at > revocations_after);
    Ok(BTreeMap::from([
        (kind::API, canonical(apis)?),
        (kind::DEPLOYMENT, canonical(&snapshot.deployments)?),
        (kind::APPLICATION, canonical(&snapshot.applications)?),
        (kind::KEY_MAPPING, canonical(&snapshot.key_mappings)?),
        (kind::API_KEY, canonical(&snapshot.api_keys)?),
        (kind::SUBSCRIPTION, canonical(&snapshot.subscriptions)?),
        (kind::SUBSCRIPTION_POLICY, canonical(&snapshot.subscription_policies)?),
        (kind::APPLICATION_POLICY, canonical(&snapshot.application_policies)?),
        (kind::ADVANCED_POLICY, canonical(&snapshot.advanced_policies)?),
        (kind::CUSTOM_RULE, canonical(&snapshot.custom_rules)?),
        (kind::DENY_POLICY, canonical(&snapshot.deny_policies)?),
        (kind::THROTTLE_RESET, canonical(&snapshot.throttle_resets)?),
        (kind::TENANT_SETTINGS, canonical(&snapshot.tenant_settings)?),
        (kind::ISSUER, canonical(&snapshot.issuers)?),
        (kind::REVOCATION, longest(canonical_values(revocations)?)),
    ]))
}

/// The digest of each kind (hexadecimal): SHA-256 over the sorted SHA-256 of the rows.
#[must_use]
pub fn digests(documents: &Documents) -> BTreeMap<String, String> {
    let of_kind = |rows: &BTreeSet<String>| {
        let mut hashes: Vec<[u8; 32]> = rows.iter().filter_map(|row| hash(row)).collect();
        hashes.sort_unstable();
        let mut whole = Context::new(&SHA256);
        hashes.iter().for_each(|hash| whole.update(hash));
        hex::encode(whole.finish())
    };
    documents.iter().map(|(kind, rows)| ((*kind).to_owned(), of_kind(rows))).collect()
}

fn hash(row: &str) -> Option<[u8; 32]> {
    digest(&SHA256, row.as_bytes()).as_ref().try_into().ok()
}

/// Kinds in which the gateway's `own` content, which is true at the positions that it names, differs from what the hub
/// tells; `None` when the two cannot be compared because they are of different moments or releases.
///
/// # Errors
/// When a row cannot be written as JSON.
pub fn differences(own: &Snapshot, told: &ContentDigest) -> Result<Option<BTreeSet<String>>, serde_json::Error> {
    if told.schema != SCHEMA_VERSION || own.control != told.at || own.control.log_id.is_empty() {
        return Ok(None);
    }
    let own_digests = digests(&documents(own, told.revocations_after)?);
    let is_comparable = |name: &str| name != kind::REVOCATION || own.revocation == told.revocation;
    let differing = told.kinds.iter().filter(|(name, digest)| {
        // A kind that is not known here is of another release.
        is_comparable(name) && own_digests.get(*name).is_some_and(|own| own != *digest)
    });
    Ok(Some(differing.map(|(name, _)| name.clone()).collect()))
}

fn canonical<'a, T: Serialize + 'a>(
    rows: impl IntoIterator<Item = &'a T>,
) -> Result<BTreeSet<String>, serde_json::Error> {
    Ok(canonical_values(rows)?.iter().map(Value::to_string).collect())
}

fn canonical_values<'a, T: Serialize + 'a>(
    rows: impl IntoIterator<Item = &'a T>,
) -> Result<Vec<Value>, serde_json::Error> {
    rows.into_iter().map(|row| serde_json::to_value(row).map(sorted)).collect()
}

/// The members of every object in the order of their names.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Of several revocations of the same thing the one that counts for longest, which is what a gateway keeps.
fn longest(rows: Vec<Value>) -> BTreeSet<String> {
    let mut kept: BTreeMap<String, Value> = BTreeMap::new();
    for mut row in rows {
        let expires_at = row.as_object_mut().and_then(|members| members.remove("expires_at"));
        let (subject, expires_at) = (row.to_string(), expires_at.unwrap_or_default());
        let is_longer = kept.get(&subject).is_none_or(|own| own.as_i64() < expires_at.as_i64());
        if is_longer {
            kept.insert(subject, expires_at);
        }
    }
    kept.into_iter().map(|(subject, expires_at)| format!("{subject}{expires_at}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Position;
    use crate::lifecycle::LifecycleState;
    use crate::runtime::{ApiMetadata, DeployedRevision, Revocation, RevocationEntry};
    use crate::{Organization, RevisionId};

    fn api(api_id: ApiId) -> ApiMetadata {
        ApiMetadata {
            api_id,
            organization: Organization::super_tenant(),
            name: "Pizza".into(),
            version: "1".into(),
            context: "/pizza/1".into(),
            state: LifecycleState::Published,
            is_default_version: false,
        }
    }

    fn deployment(api_id: ApiId) -> DeployedRevision {
        DeployedRevision {
            api_id,
            revision_id: RevisionId::random(),
            environment: "Default".into(),
            vhost: "localhost".into(),
            artifact_hash: "h".into(),
        }
    }

    fn revoked(jti: &str, expires_at: i64) -> RevocationEntry {
        let revocation = Revocation::Token { jti: jti.into() };
        let expires_at = Timestamp::from_millis(expires_at);
        RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at }
    }

    fn told(snapshot: &Snapshot, after: i64) -> ContentDigest {
        let revocations_after = Timestamp::from_millis(after);
        ContentDigest {
            at: snapshot.control.clone(),
            revocation: snapshot.revocation.clone(),
            schema: SCHEMA_VERSION,
            audited_at: revocations_after,
            revocations_after,
            kinds: digests(&documents(snapshot, revocations_after).unwrap()),
        }
    }

    fn filled() -> Snapshot {
        let ids = [ApiId::random(), ApiId::random()];
        Snapshot {
            control: Position { log_id: "c".into(), number: 3 },
            revocation: Position { log_id: "r".into(), number: 2 },
            apis: ids.iter().copied().map(api).collect(),
            deployments: ids.iter().copied().map(deployment).collect(),
            revocations: vec![revoked("a", 500), revoked("b", 50)],
            ..Snapshot::default()
        }
    }

    #[test]
    fn order_repetition_undeployed_apis_and_what_expires_soon_make_no_difference() {
        let hub = filled();
        let mut own = hub.clone();
        own.apis.reverse();
        own.deployments.reverse();
        own.apis.push(api(ApiId::random()));
        own.revocations = vec![revoked("a", 300), revoked("a", 500)];
        assert_eq!(differences(&own, &told(&hub, 100)).unwrap(), Some(BTreeSet::new()));
    }

    #[test]
    fn a_row_that_is_missing_or_other_makes_its_kind_differ() {
        let hub = filled();
        let mut own = hub.clone();
        own.deployments[0].vhost = "elsewhere".into();
        own.revocations.remove(0);
        let found = differences(&own, &told(&hub, 100)).unwrap().unwrap();
        assert_eq!(found, BTreeSet::from(["deployment".to_owned(), "revocation".to_owned()]));
    }

    #[test]
    fn different_moments_and_releases_are_not_compared() {
        let hub = filled();
        let mut later = hub.clone();
        later.control.number += 1;
        assert_eq!(differences(&later, &told(&hub, 0)).unwrap(), None);
        let newer = ContentDigest { schema: SCHEMA_VERSION + 1, ..told(&hub, 0) };
        assert_eq!(differences(&hub, &newer).unwrap(), None);
        let mut revoking = hub.clone();
        revoking.revocation.number += 1;
        revoking.revocations.push(revoked("c", 900));
        assert_eq!(differences(&revoking, &told(&hub, 0)).unwrap(), Some(BTreeSet::new()));
    }
}
