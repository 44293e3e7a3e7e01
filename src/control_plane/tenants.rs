//! Tenants: made in idempotent steps over both databases, so that a crash between them is mended at the next start.

use std::sync::Arc;

use domain::contract::TenantKeys;
use domain::oauth::Principal;
use domain::{Clock, Failure, Organization, Secret, error_code, tenant};
use security::password::{PasswordError, PasswordGate};
use store::shared::users::tenants;
pub use store::shared::users::tenants::{Tenant, TenantState};
use store::{ApimDb, SharedDb, StoreError};

use crate::keys::from_key_manager;
use crate::{ControlPlane, bootstrap};

const USERNAME_CHARS_MAX: usize = 60;
const PASSWORD_CHARS_MIN: usize = 5;
/// Tries to get a number when other tenants are made at the same time.
const TRIES_MAX: usize = 5;

/// Who and what a new tenant starts with.
#[derive(Debug, Clone)]
pub struct NewTenant {
    pub domain: String,
    /// Name of the administrator, without the tenant.
    pub administrator: String,
    pub password: Secret<String>,
}

/// Makes tenants; clones share everything.
#[derive(Clone)]
pub struct TenantMaker {
    pub apim: ApimDb,
    pub shared: SharedDb,
    pub keys: Arc<dyn TenantKeys>,
    pub passwords: PasswordGate,
    pub clock: Arc<dyn Clock>,
}

impl TenantMaker {
    /// Makes a tenant with an administrator, the built-in roles, an issuer with a signing key and the default policies;
    /// it is active when this returns.
    ///
    /// # Errors
    /// 400 naming the field; 409 when the domain is taken.
    pub async fn create(&self, new: NewTenant) -> Result<Tenant, Failure> {
        let organization = tenant::parse_domain("tenantDomain", &new.domain)?;
        check_username(&new.administrator)?;
        check_password(&new.password)?;
        if organization.is_super() {
            return Err(taken(&organization));
        }
        if let Some(present) = self.find(&organization).await? {
            // One that a crash left half-made is finished on the way.
            if present.state == TenantState::Creating {
                self.finish(&organization).await?;
            }
            return Err(taken(&organization));
        }
        let hash = Secret::new(self.passwords.hash(new.password).await.map_err(from_password)?);
        let mut tenant = self.insert(&organization, new.administrator, hash).await?;
        self.finish(&organization).await?;
        tenant.state = TenantState::Active;
        tracing::info!(%organization, "tenant made");
        Ok(tenant)
    }

    /// Finishes the tenants that a crash left half-made, and gives those of an earlier configuration or release the present
    /// issuer and the default policies that they lack.
    ///
    /// # Errors
    /// When a database or the key manager fails.
    pub async fn resume(&self) -> Result<(), Failure> {
        let present: Vec<Tenant> = self.shared.read(|conn| Ok::<_, Failure>(tenants::list(conn, None)?)).await?;
        for tenant in present {
            match tenant.state {
                TenantState::Creating => self.finish(&tenant.organization).await?,
                TenantState::Active => self.supply(&tenant.organization).await?,
                TenantState::Inactive => {}
            }
        }
        Ok(())
    }

    async fn find(&self, organization: &Organization) -> Result<Option<Tenant>, Failure> {
        let organization = organization.clone();
        self.shared.read(move |conn| Ok(tenants::find(conn, organization.as_str())?)).await
    }

    /// The row in state CREATING, with roles and administrator, in one transaction.
    async fn insert(
        &self,
        organization: &Organization,
        administrator: String,
        hash: Secret<String>,
    ) -> Result<Tenant, Failure> {
        let now = self.clock.now();
        for _ in 0..TRIES_MAX {
            let (owner, administrator, hash) = (organization.clone(), administrator.clone(), hash.clone());
            let inserted: Result<Tenant, StoreError> =
                self.shared.write(move |conn| tenants::insert(conn, &owner, &administrator, &hash, now)).await;
            match inserted {
                Ok(tenant) => return Ok(tenant),
                Err(StoreError::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
            if self.find(organization).await?.is_some() {
                return Err(taken(organization));
            }
        }
        Err(Failure::Busy { retry_after_secs: 1 })
    }

    /// What every tenant has.
    async fn supply(&self, organization: &Organization) -> Result<(), Failure> {
        self.keys.ensure_keys(organization).await.map_err(from_key_manager)?;
        bootstrap::ensure_default_policies(&self.apim, organization.clone(), self.clock.now()).await
    }

    /// The steps after the row; each is harmless to repeat.
    async fn finish(&self, organization: &Organization) -> Result<(), Failure> {
        self.supply(organization).await?;
        let owner = organization.clone();
        self.shared.write(move |conn| Ok::<_, Failure>(tenants::set_state(conn, &owner, TenantState::Active)?)).await?;
        Ok(())
    }
}

impl ControlPlane {
    /// Makes a tenant; see [`TenantMaker::create`].
    ///
    /// # Errors
    /// 403 outside of the super tenant; 400 naming the field; 409 when the domain is taken.
    pub async fn create_tenant(&self, caller: &Principal, new: NewTenant) -> Result<Tenant, Failure> {
        check_super(caller)?;
        self.tenant_maker().create(new).await
    }

    /// Every tenant but the super tenant, by domain.
    ///
    /// # Errors
    /// 403 outside of the super tenant.
    pub async fn list_tenants(&self, caller: &Principal) -> Result<Vec<Tenant>, Failure> {
        check_super(caller)?;
        self.shared().read(|conn| Ok(tenants::list(conn, None)?)).await
    }
}

fn check_super(caller: &Principal) -> Result<(), Failure> {
    if caller.organization.is_super() {
        return Ok(());
    }
    Err(Failure::refused(error_code::FORBIDDEN, "only administrators of the super tenant keep the tenants"))
}

fn taken(organization: &Organization) -> Failure {
    Failure::refused(error_code::CONFLICT, format!("tenantDomain: there is a tenant '{organization}' already"))
}

/// As user names are written everywhere; an `@` belongs to names that are mail addresses.
fn check_username(name: &str) -> Result<(), Failure> {
    let length = name.chars().count();
    if length == 0 || length > USERNAME_CHARS_MAX {
        return Err(Failure::invalid("adminUsername", format!("must have 1 to {USERNAME_CHARS_MAX} characters")));
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-+@".contains(*c))) {
        Some(c) => Err(Failure::invalid("adminUsername", format!("must not contain {c:?}"))),
        None => Ok(()),
    }
}

fn check_password(password: &Secret<String>) -> Result<(), Failure> {
    if password.expose().chars().count() < PASSWORD_CHARS_MIN {
        return Err(Failure::invalid("adminPassword", format!("must have at least {PASSWORD_CHARS_MIN} characters")));
    }
    Ok(())
}

fn from_password(error: PasswordError) -> Failure {
    match error {
        PasswordError::TooLong => Failure::invalid("adminPassword", "is too long"),
        PasswordError::Busy => Failure::Busy { retry_after_secs: 1 },
        other => Failure::internal(other),
    }
}
