//! Gateways as the event hub knows them: who lives, and what each acknowledged.

mod counts;

use diesel::prelude::*;
use domain::Timestamp;
use domain::contract::event_bus::{DeploymentAck, GatewayHeartbeat};

use crate::database::ApimConn;
use crate::error::StoreError;
pub use counts::{DeploymentReport, counts, sharing};

diesel::table! {
    gateway_instances (gateway_id) {
        gateway_id -> Text,
        environments -> Text,
        heartbeat_at -> BigInt,
        control_number -> BigInt,
        revocation_number -> BigInt,
    }
}

diesel::table! {
    gateway_deployments (gateway_id, api_id, environment) {
        gateway_id -> Text,
        api_id -> Text,
        environment -> Text,
        organization -> Text,
        revision_id -> Nullable<Text>,
        artifact_hash -> Nullable<Text>,
        error -> Nullable<Text>,
        at -> BigInt,
        control_log_id -> Text,
        control_number -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(gateway_instances, gateway_deployments);

/// Longest error text that is kept of an acknowledgement, in bytes.
const ERROR_BYTES_MAX: usize = 2_000;

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = gateway_instances)]
struct InstanceRow {
    gateway_id: String,
    environments: String,
    heartbeat_at: i64,
    control_number: i64,
    revocation_number: i64,
}

/// An acknowledgement replaces the earlier one of the same gateway, API and environment as a whole.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = gateway_deployments, treat_none_as_null = true)]
struct DeploymentRow {
    gateway_id: String,
    api_id: String,
    environment: String,
    organization: String,
    revision_id: Option<String>,
    artifact_hash: Option<String>,
    error: Option<String>,
    at: i64,
    control_log_id: String,
    control_number: i64,
}

/// Registers the gateway or renews its registration.
pub fn heartbeat(conn: &mut ApimConn, heartbeat: &GatewayHeartbeat, now: Timestamp) -> Result<(), StoreError> {
    let row = InstanceRow {
        gateway_id: heartbeat.gateway_id.clone(),
        environments: serde_json::to_string(&heartbeat.environments)
            .map_err(|error| StoreError::corrupt("environments", error))?,
        heartbeat_at: now.as_millis(),
        control_number: i64::try_from(heartbeat.control).unwrap_or(i64::MAX),
        revocation_number: i64::try_from(heartbeat.revocation).unwrap_or(i64::MAX),
    };
    if diesel::update(gateway_instances::table.find(&row.gateway_id)).set(&row).execute(conn.db())? == 0 {
        diesel::insert_into(gateway_instances::table).values(&row).execute(conn.db())?;
    }
    Ok(())
}

/// Stores acknowledgements; repeating one changes nothing. An earlier position never replaces a later one of the same log: a
/// call that was given up by its gateway may still arrive after its successor.
pub fn acknowledge(conn: &mut ApimConn, acks: &[DeploymentAck]) -> Result<(), StoreError> {
    for ack in acks {
        let row = DeploymentRow {
            gateway_id: ack.gateway_id.clone(),
            api_id: ack.api_id.to_string(),
            environment: ack.environment.clone(),
            organization: ack.organization.to_string(),
            revision_id: ack.revision_id.map(|id| id.to_string()),
            artifact_hash: ack.artifact_hash.clone(),
            error: ack.error.as_deref().map(shorten),
            at: ack.at.as_millis(),
            control_log_id: ack.position.log_id.clone(),
            control_number: i64::try_from(ack.position.number).unwrap_or(i64::MAX),
        };
        let target = gateway_deployments::table.find((&row.gateway_id, &row.api_id, &row.environment));
        let is_earlier = gateway_deployments::control_log_id
            .ne(&row.control_log_id)
            .or(gateway_deployments::control_number.le(row.control_number));
        if diesel::update(target.filter(is_earlier)).set(&row).execute(conn.db())? > 0 {
            continue;
        }
        if target.count().get_result::<i64>(conn.db())? == 0 {
            diesel::insert_into(gateway_deployments::table).values(&row).execute(conn.db())?;
        }
    }
    Ok(())
}

/// Forgets gateways that were not heard of since `before`, with all that they acknowledged, and removals that were
/// acknowledged before; returns the number of gateways.
pub fn forget_silent_since(conn: &mut ApimConn, before: Timestamp) -> Result<usize, StoreError> {
    let removals = gateway_deployments::table
        .filter(gateway_deployments::revision_id.is_null())
        .filter(gateway_deployments::at.lt(before.as_millis()));
    diesel::delete(removals).execute(conn.db())?;
    let silent = gateway_instances::heartbeat_at.lt(before.as_millis());
    let ids: Vec<String> =
        gateway_instances::table.filter(silent).select(gateway_instances::gateway_id).load(conn.db())?;
    if ids.is_empty() {
        return Ok(0);
    }
    let acknowledged = gateway_deployments::table.filter(gateway_deployments::gateway_id.eq_any(&ids));
    diesel::delete(acknowledged).execute(conn.db())?;
    let instances = gateway_instances::table.filter(gateway_instances::gateway_id.eq_any(&ids));
    Ok(diesel::delete(instances).execute(conn.db())?)
}

fn shorten(text: &str) -> String {
    text.get(..text.floor_char_boundary(ERROR_BYTES_MAX)).unwrap_or(text).to_owned()
}
