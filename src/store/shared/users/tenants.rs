//! Tenants.

use diesel::prelude::*;
use domain::{Organization, Timestamp};

use super::schema::tenants;
use crate::database::SharedConn;
use crate::error::StoreError;

/// The super tenant's number on the wire.
pub const SUPER_TENANT_ID: i64 = -1234;

/// Whether a tenant can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantState {
    /// Work over both databases is not finished; it is resumed at the next start.
    Creating,
    Active,
    Inactive,
}

impl TenantState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Creating, Self::Active, Self::Inactive].into_iter().find(|state| state.as_str() == text)
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub organization: Organization,
    pub tenant_id: i64,
    pub state: TenantState,
    pub created_at: Timestamp,
}

/// The tenant with this domain.
pub fn find(conn: &mut SharedConn, domain: &str) -> Result<Option<Tenant>, StoreError> {
    let row: Option<(i64, String, i64)> = tenants::table
        .find(domain)
        .select((tenants::tenant_id, tenants::state, tenants::created_at))
        .first(conn.db())
        .optional()?;
    let Some((tenant_id, state, created_at)) = row else { return Ok(None) };
    Ok(Some(Tenant {
        organization: Organization::from_trusted(domain.to_owned()),
        tenant_id,
        state: TenantState::parse(&state).ok_or_else(|| StoreError::corrupt("tenant state", &state))?,
        created_at: Timestamp::from_millis(created_at),
    }))
}

/// Makes the super tenant's row unless it exists.
pub(super) fn ensure_super_tenant(conn: &mut SharedConn, now: Timestamp) -> Result<(), StoreError> {
    if find(conn, Organization::SUPER)?.is_some() {
        return Ok(());
    }
    diesel::insert_into(tenants::table)
        .values((
            tenants::domain.eq(Organization::SUPER),
            tenants::tenant_id.eq(SUPER_TENANT_ID),
            tenants::state.eq(TenantState::Active.as_str()),
            tenants::created_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}
