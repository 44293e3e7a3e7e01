//! What gateways load, read from the tables of the control plane.

use diesel::prelude::*;
use domain::application::Application;
use domain::event::LogName;
use domain::lifecycle::LifecycleState;
use domain::runtime::{ApiMetadata, GatewayApplication, Snapshot};
use domain::{Organization, Timestamp};

use super::oauth::{issuers, revocations};
use super::schema::{apis, deployments};
use super::tenants::Tenants;
use super::{
    api_keys, applications, deny_policies, deployments as deployment_rows, key_mappings, policies, subscriptions,
    tenant_configs, throttle_resets,
};
use crate::database::ApimConn;
use crate::error::StoreError;
use crate::outbox;

/// All that gateways of `environments` need, with the logs' positions. The transaction sees one state of the database
/// throughout ([`crate::Database::read`]), so the content is exactly what the positions say. Revocations that have
/// expired at `now` are left out.
pub fn snapshot(conn: &mut ApimConn, environments: &[String], now: Timestamp) -> Result<Snapshot, StoreError> {
    Ok(Snapshot {
        control: outbox::head(conn, LogName::Control)?,
        revocation: outbox::head(conn, LogName::Revocation)?,
        apis: deployed_apis(conn, environments)?,
        deployments: deployment_rows::list_for_gateways(conn, environments)?,
        applications: applications::list_all(conn)?.into_iter().map(as_gateways_see_it).collect(),
        key_mappings: key_mappings::list_all(conn)?,
        api_keys: api_keys::list_all(conn)?,
        subscriptions: subscriptions::list_all(conn)?,
        subscription_policies: policies::list(conn, None)?,
        application_policies: policies::list(conn, None)?,
        advanced_policies: policies::list(conn, None)?,
        custom_rules: policies::list(conn, None)?,
        deny_policies: deny_policies::list(conn, &Tenants::All)?,
        throttle_resets: throttle_resets::list_all(conn)?,
        tenant_settings: tenant_configs::list_settings(conn)?,
        issuers: issuers::list_trusted(conn, now)?,
        revocations: revocations::list(conn, now)?,
    })
}

/// The part of an application that gateways need.
fn as_gateways_see_it(application: Application) -> GatewayApplication {
    GatewayApplication {
        id: application.id,
        organization: application.organization,
        name: application.name,
        owner: application.owner,
        throttling_policy: application.throttling_policy,
    }
}

type ApiColumns = (String, String, String, String, String, String, bool);

/// Metadata of the APIs that are deployed to any of `environments`.
fn deployed_apis(conn: &mut ApimConn, environments: &[String]) -> Result<Vec<ApiMetadata>, StoreError> {
    let deployed = deployments::table.filter(deployments::environment.eq_any(environments)).select(deployments::api_id);
    let rows: Vec<ApiColumns> = apis::table
        .filter(apis::id.eq_any(deployed))
        .select((
            apis::id,
            apis::organization,
            apis::name,
            apis::version,
            apis::full_context,
            apis::state,
            apis::is_default_version,
        ))
        .load(conn.db())?;
    rows.into_iter().map(metadata).collect()
}

fn metadata(
    (id, organization, name, version, context, state, is_default_version): ApiColumns,
) -> Result<ApiMetadata, StoreError> {
    let state = LifecycleState::parse(&state).ok_or_else(|| StoreError::corrupt("lifecycle state", &state))?;
    Ok(ApiMetadata {
        api_id: id.parse().map_err(|error| StoreError::corrupt("API id", error))?,
        organization: Organization::from_trusted(organization),
        name,
        version,
        context,
        state,
        // As events say it.
        is_default_version: is_default_version && state.takes_default(),
    })
}
