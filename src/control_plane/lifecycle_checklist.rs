//! What publishing a new version can do to the versions before it (`lifecycleChecklist`), and an API's history.

use std::cmp::Ordering;

use domain::api::Api;
use domain::event::Event;
use domain::lifecycle::{LifecycleAction, LifecycleState};
use domain::oauth::Principal;
use domain::{Failure, Timestamp, version_order};
use store::ApimConn;
pub use store::apim::lifecycle_events::LifecycleEvent;
use store::apim::subscriptions::{self, of_apis};
use store::apim::{apis, lifecycle_events};

use crate::ControlPlane;
use crate::apis::{not_found, parse_id};
use crate::lifecycle::advance;

/// The items' names on the wire.
pub const DEPRECATE_OLD_VERSIONS: &str = "Deprecate old versions after publishing the API";
pub const REQUIRE_RE_SUBSCRIPTION: &str = "Requires re-subscription when publishing the API";

/// What happens when a new version is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checklist {
    pub deprecate_old_versions: bool,
    pub require_re_subscription: bool,
}

impl Checklist {
    /// Reads `item:true,item:false`.
    ///
    /// # Errors
    /// 400 for an unknown item or a value that is neither.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut checklist = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let refused = |reason: String| Failure::invalid("lifecycleChecklist", reason);
            let Some((item, value)) = entry.rsplit_once(':') else {
                return Err(refused(format!("'{entry}' is not item:true or item:false")));
            };
            let value = value.trim().to_ascii_lowercase();
            let value: bool = value.parse().map_err(|_| refused(format!("'{value}' is not true or false")))?;
            match item.trim() {
                DEPRECATE_OLD_VERSIONS => checklist.deprecate_old_versions = value,
                REQUIRE_RE_SUBSCRIPTION => checklist.require_re_subscription = value,
                other => return Err(refused(format!("there is no item '{other}'"))),
            }
        }
        Ok(checklist)
    }
}

/// A state, and whether the checklist is offered in it.
#[derive(Debug, Clone, Copy)]
pub struct LifecycleView {
    pub state: LifecycleState,
    pub offers_checklist: bool,
}

/// Does what the checklist asks for after `api` was published.
pub(crate) fn apply(
    conn: &mut ApimConn,
    api: &Api,
    checklist: Checklist,
    user: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    if checklist.deprecate_old_versions {
        for old in older_versions(conn, api)?.into_iter().filter(|old| old.state == LifecycleState::Published) {
            deprecate(conn, old, user, now)?;
        }
    }
    if checklist.require_re_subscription {
        for subscription in of_apis::list_of_api(conn, api.id)? {
            subscriptions::delete(conn, subscription.id)?;
            conn.append(
                now,
                Event::SubscriptionDeleted {
                    organization: api.organization.clone(),
                    subscription_id: subscription.id,
                    api_id: api.id,
                    application_id: subscription.application_id,
                },
            );
        }
    }
    Ok(())
}

fn older_versions(conn: &mut ApimConn, api: &Api) -> Result<Vec<Api>, Failure> {
    let mut versions = apis::list_by_name(conn, &api.organization, api.name.as_str())?;
    versions.retain(|other| version_order::compare(other.version.as_str(), api.version.as_str()) == Ordering::Less);
    Ok(versions)
}

fn deprecate(conn: &mut ApimConn, old: Api, user: &str, now: Timestamp) -> Result<(), Failure> {
    let Some(mut api) = apis::lock(conn, &old.organization, old.id)? else { return Ok(()) };
    // Somebody else may have moved it meanwhile.
    if api.state == LifecycleState::Published {
        advance(conn, &mut api, LifecycleAction::Deprecate, user, now)?;
    }
    Ok(())
}

impl ControlPlane {
    /// The state of an API, and whether it can take the checklist: it can be published and an older version exists.
    ///
    /// # Errors
    /// 404.
    pub async fn lifecycle_view(&self, caller: &Principal, api_id: &str) -> Result<LifecycleView, Failure> {
        let (id, organization) = (parse_id(api_id)?, caller.organization.clone());
        self.apim()
            .read(move |conn| {
                let api = apis::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let is_before_publishing =
                    api.state.transitions().iter().any(|(action, _)| *action == LifecycleAction::Publish);
                let offers_checklist = is_before_publishing && !older_versions(conn, &api)?.is_empty();
                Ok(LifecycleView { state: api.state, offers_checklist })
            })
            .await
    }

    /// Every change of state, oldest first.
    ///
    /// # Errors
    /// 404.
    pub async fn lifecycle_history(&self, caller: &Principal, api_id: &str) -> Result<Vec<LifecycleEvent>, Failure> {
        let (id, organization) = (parse_id(api_id)?, caller.organization.clone());
        self.apim()
            .read(move |conn| {
                apis::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                Ok(lifecycle_events::list(conn, id)?)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_by_their_names() {
        let text = format!("{DEPRECATE_OLD_VERSIONS}:true, {REQUIRE_RE_SUBSCRIPTION}:false");
        assert_eq!(
            Checklist::parse(&text).unwrap(),
            Checklist { deprecate_old_versions: true, require_re_subscription: false }
        );
        assert_eq!(Checklist::parse("").unwrap(), Checklist::default());
        assert!(Checklist::parse("Make coffee:true").unwrap_err().to_string().starts_with("lifecycleChecklist: "));
        assert!(Checklist::parse(&format!("{DEPRECATE_OLD_VERSIONS}:maybe")).is_err());
    }
}
