//! Tenants.

use diesel::prelude::*;
use domain::user::{User, role};
use domain::{Organization, Secret, Timestamp, UserId};

use super::roles;
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

/// Every tenant but the super tenant, by domain, of all states or of one.
pub fn list(conn: &mut SharedConn, state: Option<TenantState>) -> Result<Vec<Tenant>, StoreError> {
    let mut query = tenants::table.filter(tenants::domain.ne(Organization::SUPER)).into_boxed();
    if let Some(state) = state {
        query = query.filter(tenants::state.eq(state.as_str()));
    }
    let rows: Vec<TenantColumns> = query
        .order(tenants::domain)
        .select((tenants::domain, tenants::tenant_id, tenants::state, tenants::created_at))
        .load(conn.db())?;
    rows.into_iter().map(Tenant::try_from).collect()
}

type TenantColumns = (String, i64, String, i64);

impl TryFrom<TenantColumns> for Tenant {
    type Error = StoreError;

    fn try_from((domain, tenant_id, state, created_at): TenantColumns) -> Result<Self, StoreError> {
        Ok(Self {
            organization: Organization::from_trusted(domain),
            tenant_id,
            state: TenantState::parse(&state).ok_or_else(|| StoreError::corrupt("tenant state", &state))?,
            created_at: Timestamp::from_millis(created_at),
        })
    }
}

/// Makes a tenant in state `CREATING` with the built-in roles, and its administrator with all of them. A domain that is
/// taken is a [`StoreError::Conflict`], and so is a number that a concurrent transaction took.
pub fn insert(
    conn: &mut SharedConn,
    organization: &Organization,
    administrator: &str,
    password_hash: &Secret<String>,
    now: Timestamp,
) -> Result<Tenant, StoreError> {
    let largest: Option<i64> = tenants::table.select(diesel::dsl::max(tenants::tenant_id)).first(conn.db())?;
    let tenant = Tenant {
        organization: organization.clone(),
        tenant_id: largest.unwrap_or(0).max(0) + 1,
        state: TenantState::Creating,
        created_at: now,
    };
    diesel::insert_into(tenants::table)
        .values((
            tenants::domain.eq(organization.as_str()),
            tenants::tenant_id.eq(tenant.tenant_id),
            tenants::state.eq(tenant.state.as_str()),
            tenants::created_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    for name in role::BUILT_IN {
        roles::ensure(conn, organization, name, now)?;
    }
    let user = User {
        id: UserId::random(),
        organization: organization.clone(),
        username: administrator.to_owned(),
        roles: role::BUILT_IN.map(str::to_owned).to_vec(),
    };
    super::insert(conn, &user, password_hash, now)?;
    Ok(tenant)
}

/// Changes the state; says whether the tenant exists.
pub fn set_state(conn: &mut SharedConn, organization: &Organization, state: TenantState) -> Result<bool, StoreError> {
    let target = tenants::table.find(organization.as_str());
    let changed = diesel::update(target).set(tenants::state.eq(state.as_str())).execute(conn.db())?;
    Ok(changed == 1)
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
