//! Keys with which publishers try out an API before anybody else may call it.

use domain::Failure;
use domain::oauth::{InternalKey, Principal};
use domain::user::user_with_tenant;

use crate::ControlPlane;
use crate::keys::from_key_manager;

impl ControlPlane {
    /// A key for this one API.
    ///
    /// # Errors
    /// 404.
    pub async fn generate_internal_key(&self, caller: &Principal, api_id: &str) -> Result<InternalKey, Failure> {
        let api = self.get_api(caller, api_id).await?;
        let user = user_with_tenant(&caller.username, &caller.organization);
        self.key_manager().issue_internal_key(&api.organization, &user, api.id).await.map_err(from_key_manager)
    }
}
