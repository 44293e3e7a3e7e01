//! What the developer portal shows around its APIs: key managers, tags, and which APIs it shows at all.

use domain::lifecycle::LifecycleState;
use domain::oauth::{KeyManagerInfo, Principal};
use domain::{Failure, Organization};
use store::apim::apis::Audience;
use store::apim::tags;

use crate::apis::ApiFilter;
use crate::{ControlPlane, Page};

/// One page, and how many there are in all.
#[derive(Debug, Clone)]
pub struct TagPage {
    /// Each tag with the number of visible APIs that carry it.
    pub tags: Vec<(String, i64)>,
    pub total: i64,
}

/// The part of the list that `caller`, or nobody known, may see of `organization`.
pub(crate) fn visible_to(filter: ApiFilter, organization: &Organization, caller: Option<&Principal>) -> ApiFilter {
    ApiFilter { audience: audience(organization, caller), states: Some(shown_states()), ..filter }
}

fn audience(organization: &Organization, caller: Option<&Principal>) -> Audience {
    match caller {
        Some(caller) if caller.organization == *organization => Audience::Roles(caller.roles.clone()),
        _ => Audience::Anonymous,
    }
}

fn shown_states() -> Vec<LifecycleState> {
    LifecycleState::ALL.into_iter().filter(|state| state.is_visible_in_devportal()).collect()
}

impl ControlPlane {
    /// The built-in key manager's endpoints and grants.
    #[must_use]
    pub fn resident_key_manager(&self, organization: &Organization) -> KeyManagerInfo {
        self.key_manager().info(organization)
    }

    /// A page of the tags of visible APIs, in their order.
    pub async fn list_tags(
        &self,
        organization: &Organization,
        caller: Option<&Principal>,
        page: Page,
    ) -> Result<TagPage, Failure> {
        let audience = audience(organization, caller);
        let organization = organization.clone();
        self.apim()
            .read(move |conn| {
                let (tags, total) = tags::list(conn, &organization, (&shown_states(), &audience), page)?;
                Ok(TagPage { tags, total })
            })
            .await
    }
}
