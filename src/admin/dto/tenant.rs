//! Tenants: shapes of our own, as the contract has none.

use control_plane::tenants::{NewTenant, Tenant};
use domain::Secret;
use serde::{Deserialize, Serialize};

/// What an administrator of the super tenant hands in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantInputDto {
    tenant_domain: String,
    admin_username: String,
    admin_password: Secret<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantDto {
    tenant_domain: String,
    tenant_id: i64,
    /// `CREATING`, `ACTIVE` or `INACTIVE`.
    state: &'static str,
    /// Milliseconds since 1970.
    created_time: String,
}

impl From<TenantInputDto> for NewTenant {
    fn from(dto: TenantInputDto) -> Self {
        Self { domain: dto.tenant_domain, administrator: dto.admin_username, password: dto.admin_password }
    }
}

impl From<&Tenant> for TenantDto {
    fn from(tenant: &Tenant) -> Self {
        Self {
            tenant_domain: tenant.organization.to_string(),
            tenant_id: tenant.tenant_id,
            state: tenant.state.as_str(),
            created_time: tenant.created_at.as_millis().to_string(),
        }
    }
}
