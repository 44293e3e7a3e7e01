//! Configurations of tenants, as their administrators handed them in.

use diesel::prelude::*;
use domain::tenant::{TenantConfig, TenantSettings};
use domain::{Organization, Zone};

use crate::database::ApimConn;
use crate::error::StoreError;

diesel::table! {
    tenant_configs (organization) {
        organization -> Text,
        document -> Text,
        time_zone -> Text,
    }
}

/// The configuration; `None` for a tenant that never handed one in.
pub fn find(conn: &mut ApimConn, organization: &Organization) -> Result<Option<TenantConfig>, StoreError> {
    let row = tenant_configs::table.find(organization.as_str()).select(tenant_configs::document);
    let Some(document) = row.first::<String>(conn.db()).optional()? else { return Ok(None) };
    let document = serde_json::from_str(&document).map_err(|error| StoreError::corrupt("tenant config", error))?;
    TenantConfig::parse(document).map(Some).map_err(|error| StoreError::corrupt("tenant config", error))
}

/// By whose clocks the windows of the tenant's policies begin.
pub fn time_zone(conn: &mut ApimConn, organization: &Organization) -> Result<Zone, StoreError> {
    let row = tenant_configs::table.find(organization.as_str()).select(tenant_configs::time_zone);
    row.first::<String>(conn.db()).optional()?.map_or(Ok(Zone::UTC), |name| zone(&name))
}

/// Puts the configuration in the place of an earlier one; one transaction at a time per organization.
pub fn put(conn: &mut ApimConn, organization: &Organization, config: &TenantConfig) -> Result<(), StoreError> {
    let (document, time_zone) = (config.text(), config.time_zone().name());
    conn.take_turn(&format!("configuration of {organization}"))?;
    let columns = (tenant_configs::document.eq(&document), tenant_configs::time_zone.eq(time_zone));
    let row = tenant_configs::table.find(organization.as_str());
    if diesel::update(row).set(columns).execute(conn.db())? == 0 {
        diesel::insert_into(tenant_configs::table)
            .values((
                tenant_configs::organization.eq(organization.as_str()),
                tenant_configs::document.eq(&document),
                tenant_configs::time_zone.eq(time_zone),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

/// What gateways need of every tenant that handed one in, for snapshots.
pub fn list_settings(conn: &mut ApimConn) -> Result<Vec<TenantSettings>, StoreError> {
    let rows: Vec<(String, String)> =
        tenant_configs::table.select((tenant_configs::organization, tenant_configs::time_zone)).load(conn.db())?;
    rows.into_iter()
        .map(|(organization, time_zone)| {
            Ok(TenantSettings { organization: Organization::from_trusted(organization), time_zone: zone(&time_zone)? })
        })
        .collect()
}

fn zone(name: &str) -> Result<Zone, StoreError> {
    Zone::parse(name).ok_or_else(|| StoreError::corrupt("time zone", name))
}
