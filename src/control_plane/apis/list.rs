//! `GET /apis` of both planes.

use domain::api::{Api, Visibility};
use domain::oauth::Principal;
use domain::{Failure, Organization};
use store::apim::apis;
pub use store::apim::apis::{Filter as ApiFilter, Sort as ApiSort};

use super::{not_found, parse_id};
use crate::discovery::visible_to;
use crate::{ControlPlane, Direction, Page};

/// One page, and how many there are in all.
#[derive(Debug, Clone)]
pub struct ApiPage {
    pub apis: Vec<Api>,
    pub total: i64,
}

impl ControlPlane {
    /// A page of the publisher's list.
    pub async fn list_apis(
        &self,
        caller: &Principal,
        filter: ApiFilter,
        order: (ApiSort, Direction),
        page: Page,
    ) -> Result<ApiPage, Failure> {
        self.list(caller.organization.clone(), filter, order, page).await
    }

    /// A page of the developer portal's list: what `caller`, or nobody known, may see of `organization`.
    pub async fn list_visible_apis(
        &self,
        organization: &Organization,
        caller: Option<&Principal>,
        filter: ApiFilter,
        order: (ApiSort, Direction),
        page: Page,
    ) -> Result<ApiPage, Failure> {
        let filter = visible_to(filter, organization, caller);
        let mut page = self.list(organization.clone(), filter, order, page).await?;
        page.apis.iter_mut().for_each(|api| self.unlimited_tier().narrow(&mut api.details));
        Ok(page)
    }

    async fn list(
        &self,
        organization: Organization,
        filter: ApiFilter,
        order: (ApiSort, Direction),
        page: Page,
    ) -> Result<ApiPage, Failure> {
        self.apim()
            .read(move |conn| {
                let (apis, total) = apis::list(conn, &organization, &filter, order, page)?;
                Ok(ApiPage { apis, total })
            })
            .await
    }

    /// One API as the developer portal shows it.
    ///
    /// # Errors
    /// 404 also for an API that exists and must not be seen, so that the answer tells nothing.
    pub async fn get_visible_api(
        &self,
        organization: &Organization,
        caller: Option<&Principal>,
        id: &str,
    ) -> Result<Api, Failure> {
        let (id, organization) = (parse_id(id)?, organization.clone());
        let (caller, unlimited) = (caller.cloned(), self.unlimited_tier());
        self.apim()
            .read(move |conn| {
                let mut api = apis::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                if !is_visible(&api, caller.as_ref()) {
                    return Err(not_found(id));
                }
                unlimited.narrow(&mut api.details);
                Ok(api)
            })
            .await
    }
}

/// Whether the developer portal shows `api` to `caller`.
pub(crate) fn is_visible(api: &Api, caller: Option<&Principal>) -> bool {
    let caller = caller.filter(|caller| caller.organization == api.organization);
    let is_seen = match api.details.visibility {
        Visibility::Public => true,
        Visibility::Private => caller.is_some(),
        Visibility::Restricted => {
            caller.is_some_and(|caller| caller.roles.iter().any(|role| api.details.visible_roles.contains(role)))
        }
    };
    is_seen && api.state.is_visible_in_devportal()
}
