//! What the developer portal shows around its APIs: key managers, tags, search.

use std::collections::BTreeMap;

use domain::api::Api;
use domain::lifecycle::LifecycleState;
use domain::oauth::{KeyManagerInfo, Principal};
use domain::{Failure, Organization};
use serde_json::Value;
use store::apim::apis::Audience;
use store::apim::tags;

use crate::apis::{ApiFilter, ApiSort};
use crate::{ControlPlane, Direction, Page};

/// A field that a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchField {
    /// Name, tags and description.
    Anywhere,
    Name,
    Version,
    Context,
    Provider,
    Tag,
    Description,
}

/// One condition of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchTerm {
    pub field: SearchField,
    pub value: String,
    /// The whole field, not a part of it in any case.
    pub is_exact: bool,
}

impl SearchTerm {
    fn is_met_by(&self, api: &Api) -> bool {
        let other = |name: &str| api.details.other.get(name);
        let description = other("description").and_then(Value::as_str).unwrap_or_default();
        let tags = || other("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        match self.field {
            SearchField::Anywhere => {
                self.fits(api.name.as_str()) || self.fits(description) || tags().any(|tag| self.fits(tag))
            }
            SearchField::Name => self.fits(api.name.as_str()),
            SearchField::Version => self.fits(api.version.as_str()),
            SearchField::Context => self.fits(&api.full_context()),
            SearchField::Provider => self.fits(&api.provider),
            SearchField::Tag => tags().any(|tag| self.fits(tag)),
            SearchField::Description => self.fits(description),
        }
    }

    fn fits(&self, text: &str) -> bool {
        if self.is_exact {
            return text == self.value;
        }
        text.to_ascii_lowercase().contains(&self.value.to_ascii_lowercase())
    }
}

/// Different fields must all fit, of several terms for one field any; words without a field must all be found.
fn are_met_by(terms: &[SearchTerm], api: &Api) -> bool {
    terms.iter().all(|term| {
        if term.field == SearchField::Anywhere {
            return term.is_met_by(api);
        }
        terms.iter().any(|other| other.field == term.field && other.is_met_by(api))
    })
}

/// The part of the list that `caller`, or nobody known, may see of `organization`.
pub(crate) fn visible_to(filter: ApiFilter, organization: &Organization, caller: Option<&Principal>) -> ApiFilter {
    let audience = match caller {
        Some(caller) if caller.organization == *organization => Audience::Roles(caller.roles.clone()),
        _ => Audience::Anonymous,
    };
    let states = LifecycleState::ALL.into_iter().filter(|state| state.is_visible_in_devportal());
    ApiFilter { audience, states: Some(states.collect()), ..filter }
}

impl ControlPlane {
    /// The built-in key manager's endpoints and grants.
    #[must_use]
    pub fn resident_key_manager(&self, organization: &Organization) -> KeyManagerInfo {
        self.key_manager().info(organization)
    }

    /// Number of visible APIs by tag.
    pub async fn count_tags(
        &self,
        organization: &Organization,
        caller: Option<&Principal>,
    ) -> Result<BTreeMap<String, u64>, Failure> {
        let organization = organization.clone();
        let filter = visible_to(ApiFilter::default(), &organization, caller);
        self.apim().read(move |conn| Ok(tags::count(conn, &organization, &filter)?)).await
    }

    /// All visible APIs that meet `terms`, by name.
    pub async fn search_visible_apis(
        &self,
        organization: &Organization,
        caller: Option<&Principal>,
        terms: &[SearchTerm],
    ) -> Result<Vec<Api>, Failure> {
        let order = (ApiSort::Name, Direction::Ascending);
        let all = Page { offset: 0, limit: u32::MAX };
        let found = self.list_visible_apis(organization, caller, ApiFilter::default(), order, all).await?;
        Ok(found.apis.into_iter().filter(|api| are_met_by(terms, api)).collect())
    }
}
