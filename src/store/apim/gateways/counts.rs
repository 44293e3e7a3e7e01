//! Which gateways serve what: from heartbeats and acknowledgements alone.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel::prelude::*;
use domain::revision::{DeploymentCounts, GatewayStanding, GatewayState};
use domain::{ApiId, RevisionId, Timestamp};

use super::{gateway_deployments, gateway_instances};
use crate::database::ApimConn;
use crate::error::StoreError;

/// Most ids in one `IN (..)`, below every back end's limit on variables.
const IDS_PER_QUERY_MAX: usize = 900;

/// The state of the fleet for some APIs at one moment.
#[derive(Debug, Clone, Default)]
pub struct DeploymentReport {
    /// Names of live gateways by environment, in order.
    live: HashMap<String, Vec<String>>,
    acknowledged: HashMap<Subject, Vec<GatewayStanding>>,
}

/// API, environment, revision.
type Subject = (String, String, String);

impl DeploymentReport {
    /// What live gateways of `environment` said of this revision.
    #[must_use]
    pub fn of(&self, api_id: ApiId, environment: &str, revision_id: RevisionId) -> DeploymentCounts {
        self.gateways(api_id, environment, revision_id).iter().collect()
    }

    /// Each live gateway of `environment` with what it said of this revision.
    #[must_use]
    pub fn gateways(&self, api_id: ApiId, environment: &str, revision_id: RevisionId) -> Vec<GatewayStanding> {
        let key = (api_id.to_string(), environment.to_owned(), revision_id.to_string());
        let said = self.acknowledged.get(&key).map(Vec::as_slice).unwrap_or_default();
        let standing = |gateway_id: &String| {
            let own = said.iter().find(|standing| standing.gateway_id == *gateway_id).cloned();
            let pending = || GatewayStanding { gateway_id: gateway_id.clone(), state: GatewayState::Pending, at: None };
            own.unwrap_or_else(pending)
        };
        self.live.get(environment).into_iter().flatten().map(standing).collect()
    }
}

/// Counts for all of `api_ids` at once. A gateway lives when its last heartbeat is at most `fresh_for` ago.
pub fn counts(
    conn: &mut ApimConn,
    api_ids: &[ApiId],
    now: Timestamp,
    fresh_for: Duration,
) -> Result<DeploymentReport, StoreError> {
    let oldest = now.minus(fresh_for).as_millis();
    let mut report = DeploymentReport { live: live_by_environment(conn, oldest)?, ..DeploymentReport::default() };
    // One query for any page that the REST APIs show; only longer lists are cut.
    for chunk in api_ids.chunks(IDS_PER_QUERY_MAX) {
        for (subject, standing) in acknowledged(conn, chunk, oldest)? {
            report.acknowledged.entry(subject).or_default().push(standing);
        }
    }
    Ok(report)
}

/// Number of live gateways that serve any of `environments`.
pub fn sharing(
    conn: &mut ApimConn,
    environments: &[String],
    now: Timestamp,
    fresh_for: Duration,
) -> Result<u32, StoreError> {
    let live = live_by_environment(conn, now.minus(fresh_for).as_millis())?;
    let sharing: HashSet<&String> = environments.iter().filter_map(|name| live.get(name)).flatten().collect();
    Ok(u32::try_from(sharing.len()).unwrap_or(u32::MAX))
}

fn live_by_environment(conn: &mut ApimConn, oldest: i64) -> Result<HashMap<String, Vec<String>>, StoreError> {
    let instances: Vec<(String, String)> = gateway_instances::table
        .filter(gateway_instances::heartbeat_at.ge(oldest))
        .select((gateway_instances::gateway_id, gateway_instances::environments))
        .order(gateway_instances::gateway_id)
        .load(conn.db())?;
    let mut live: HashMap<String, Vec<String>> = HashMap::new();
    for (gateway_id, json) in instances {
        let names: Vec<String> =
            serde_json::from_str(&json).map_err(|error| StoreError::corrupt("gateway environments", error))?;
        for name in names {
            live.entry(name).or_default().push(gateway_id.clone());
        }
    }
    Ok(live)
}

type Columns = (String, String, String, Option<String>, Option<String>, i64);

fn acknowledged(
    conn: &mut ApimConn,
    api_ids: &[ApiId],
    oldest: i64,
) -> Result<Vec<(Subject, GatewayStanding)>, StoreError> {
    let ids: Vec<String> = api_ids.iter().map(ToString::to_string).collect();
    let rows: Vec<Columns> = gateway_deployments::table
        .inner_join(gateway_instances::table.on(gateway_instances::gateway_id.eq(gateway_deployments::gateway_id)))
        .filter(gateway_instances::heartbeat_at.ge(oldest))
        .filter(gateway_deployments::api_id.eq_any(ids))
        .select((
            gateway_deployments::gateway_id,
            gateway_deployments::api_id,
            gateway_deployments::environment,
            gateway_deployments::revision_id,
            gateway_deployments::error,
            gateway_deployments::at,
        ))
        .load(conn.db())?;
    // Rows without a revision acknowledge a removal: they count for nothing.
    Ok(rows
        .into_iter()
        .filter_map(|(gateway_id, api_id, environment, revision_id, error, at)| {
            let state = error.map_or(GatewayState::Deployed, GatewayState::Failed);
            let standing = GatewayStanding { gateway_id, state, at: Some(Timestamp::from_millis(at)) };
            Some(((api_id, environment, revision_id?), standing))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use domain::Organization;
    use domain::contract::event_bus::{DeploymentAck, GatewayHeartbeat};
    use domain::event::Position;

    use super::super::{acknowledge, forget_silent_since, heartbeat};
    use super::*;
    use crate::{Apim, ApimDb, OpenOptions, Timeouts, migrate};

    const FRESH_FOR: Duration = Duration::from_secs(30);

    fn beat(gateway_id: &str, environments: &[&str]) -> GatewayHeartbeat {
        let environments = environments.iter().map(|name| (*name).to_owned()).collect();
        GatewayHeartbeat { gateway_id: gateway_id.into(), environments, control: 3, revocation: 1 }
    }

    fn ack(gateway_id: &str, api_id: ApiId, revision: Option<RevisionId>, error: Option<&str>) -> DeploymentAck {
        DeploymentAck {
            gateway_id: gateway_id.into(),
            organization: Organization::super_tenant(),
            api_id,
            environment: "Default".into(),
            revision_id: revision,
            artifact_hash: revision.map(|_| "hash".into()),
            error: error.map(ToOwned::to_owned),
            at: Timestamp::from_secs(50),
            position: Position::default(),
        }
    }

    async fn open(folder: &tempfile::TempDir) -> ApimDb {
        let url = format!("sqlite:{}", folder.path().join("apim.db").display());
        migrate::run::<Apim>(&url).unwrap();
        let options =
            OpenOptions { url, pool_size: 2, acquire_timeout: Duration::from_secs(5), timeouts: Timeouts::default() };
        ApimDb::open(&options, &tokio::runtime::Handle::current()).unwrap()
    }

    #[tokio::test]
    async fn only_live_gateways_that_acknowledged_exactly_this_revision_count() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        let (api_id, old, new) = (ApiId::random(), RevisionId::random(), RevisionId::random());
        let report = db
            .write(move |conn| {
                for name in ["served", "failed", "behind", "removed"] {
                    heartbeat(conn, &beat(name, &["Default"]), Timestamp::from_secs(90))?;
                }
                heartbeat(conn, &beat("dead", &["Default"]), Timestamp::from_secs(10))?;
                heartbeat(conn, &beat("elsewhere", &["Sandbox"]), Timestamp::from_secs(90))?;
                let acks = [
                    ack("served", api_id, Some(old), None),
                    ack("served", api_id, Some(new), None),
                    ack("failed", api_id, Some(new), Some("no such thing")),
                    ack("behind", api_id, Some(old), None),
                    ack("removed", api_id, Some(new), None),
                    ack("removed", api_id, None, None),
                    ack("dead", api_id, Some(new), None),
                ];
                acknowledge(conn, &acks)?;
                acknowledge(conn, &acks[2..4])?;
                counts(conn, &[api_id, ApiId::random()], Timestamp::from_secs(100), FRESH_FOR)
            })
            .await;
        let sharing =
            db.read(|conn| sharing(conn, &["Default".into(), "x".into()], Timestamp::from_secs(100), FRESH_FOR));
        assert_eq!(sharing.await.unwrap(), 4);
        let report: Result<DeploymentReport, StoreError> = report;
        let report = report.unwrap();
        let counts = report.of(api_id, "Default", new);
        let expected =
            DeploymentCounts { live: 4, deployed: 1, failed: 1, succeeded_at: Some(Timestamp::from_secs(50)) };
        assert_eq!(counts, expected);
        let states: Vec<_> = report.gateways(api_id, "Default", new).into_iter().map(|own| own.state).collect();
        let failed = GatewayState::Failed("no such thing".to_owned());
        // By name: behind, failed, removed, served.
        assert_eq!(states, [GatewayState::Pending, failed, GatewayState::Pending, GatewayState::Deployed]);
    }

    #[tokio::test]
    async fn an_acknowledgement_that_arrives_late_replaces_no_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        let (api_id, old, new) = (ApiId::random(), RevisionId::random(), RevisionId::random());
        let at = |log_id: &str, number, revision| DeploymentAck {
            position: Position { log_id: log_id.into(), number },
            ..ack("g", api_id, Some(revision), None)
        };
        let (earlier, later, of_next_log) = (at("one", 4, old), at("one", 5, new), at("two", 1, old));
        let deployed = db.write(move |conn| {
            heartbeat(conn, &beat("g", &["Default"]), Timestamp::from_secs(90))?;
            let mut deployed = Vec::new();
            for ack in [&later, &earlier, &later, &of_next_log] {
                acknowledge(conn, std::slice::from_ref(ack))?;
                let report = counts(conn, &[api_id], Timestamp::from_secs(100), FRESH_FOR)?;
                deployed.push([old, new].map(|revision| report.of(api_id, "Default", revision).deployed));
            }
            Ok::<_, StoreError>(deployed)
        });
        assert_eq!(deployed.await.unwrap(), [[0, 1], [0, 1], [0, 1], [1, 0]]);
    }

    #[tokio::test]
    async fn a_gateway_that_was_silent_for_long_is_forgotten_with_its_acknowledgements() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        let (api_id, revision) = (ApiId::random(), RevisionId::random());
        let work = db.write(move |conn| {
            heartbeat(conn, &beat("old", &["Default"]), Timestamp::from_secs(10))?;
            heartbeat(conn, &beat("new", &["Default"]), Timestamp::from_secs(90))?;
            acknowledge(conn, &[ack("old", api_id, Some(revision), None), ack("new", api_id, Some(revision), None)])?;
            let forgotten = forget_silent_since(conn, Timestamp::from_secs(50))?;
            let report = counts(conn, &[api_id], Timestamp::from_secs(100), Duration::from_secs(1_000))?;
            Ok::<_, StoreError>((forgotten, report.of(api_id, "Default", revision)))
        });
        let (forgotten, counts) = work.await.unwrap();
        assert_eq!((forgotten, counts.live, counts.deployed), (1, 1, 1));
    }
}
