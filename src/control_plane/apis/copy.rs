//! `POST /apis/copy-api`: a new version of an API.

use domain::api::Api;
use domain::event::Event;
use domain::lifecycle::LifecycleState;
use domain::name::ApiVersion;
use domain::oauth::Principal;
use domain::subscription::Subscription;
use domain::{ApiId, Failure, SubscriptionId};
use store::apim::apis;
use store::apim::subscriptions::{self, of_apis};

use super::{insert, not_found, parse_id, take_turn};
use crate::ControlPlane;

/// Whether a new version becomes the default one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultVersion {
    Takes,
    Leaves,
}

impl ControlPlane {
    /// Makes a new version in state CREATED; subscriptions to the copied version are carried over to it.
    ///
    /// # Errors
    /// 404; 400 for a version that is none; 409 when the version exists.
    pub async fn copy_api(
        &self,
        caller: &Principal,
        id: &str,
        version: &str,
        default: DefaultVersion,
    ) -> Result<Api, Failure> {
        let id = parse_id(id)?;
        let version = ApiVersion::parse(version).map_err(|error| Failure::invalid("newVersion", error))?;
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        self.apim()
            .write(move |conn| {
                take_turn(conn, &organization)?;
                let source = apis::lock(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let api = Api {
                    id: ApiId::random(),
                    version: version.clone(),
                    provider: user.clone(),
                    state: LifecycleState::Created,
                    is_default_version: default == DefaultVersion::Takes,
                    created_at: now,
                    created_by: user.clone(),
                    updated_at: now,
                    updated_by: user.clone(),
                    row_version: 1,
                    ..source
                };
                insert(conn, &api)?;
                for carried in of_apis::list_of_api(conn, id)? {
                    let subscription =
                        Subscription { id: SubscriptionId::random(), api_id: api.id, created_at: now, ..carried };
                    subscriptions::insert(conn, &subscription)?;
                    conn.append(now, Event::SubscriptionUpdated(subscription));
                }
                Ok(api)
            })
            .await
    }
}
