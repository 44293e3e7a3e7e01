//! Which tenant a user belongs to.

use domain::oauth::Principal;
use domain::{Failure, Organization, error_code};
use store::shared::users::{self, tenants};

use crate::ControlPlane;

/// A user's tenant, by the number that the wire has for it.
#[derive(Debug, Clone)]
pub struct TenantOfUser {
    pub username: String,
    pub organization: Organization,
    pub tenant_id: i64,
}

impl ControlPlane {
    /// The tenant of a user of the caller's organization, named `user` or `user@tenant`.
    ///
    /// # Errors
    /// 404 for unknown users and those of other tenants.
    pub async fn tenant_of_user(&self, caller: &Principal, username: String) -> Result<TenantOfUser, Failure> {
        let organization = caller.organization.clone();
        let suffix = format!("@{organization}");
        let local = username.strip_suffix(&suffix).unwrap_or(&username).to_owned();
        let unknown = || Failure::refused(error_code::NOT_FOUND, "there is no such user in this tenant");
        if local.contains('\0') {
            return Err(unknown());
        }
        let found = self
            .shared()
            .read(move |conn| {
                let user = users::find(conn, &organization, &local)?;
                let tenant = tenants::find(conn, organization.as_str())?;
                Ok::<_, store::StoreError>(user.and(tenant))
            })
            .await
            .map_err(Failure::from)?
            .ok_or_else(unknown)?;
        Ok(TenantOfUser { username, organization: found.organization, tenant_id: found.tenant_id })
    }
}
