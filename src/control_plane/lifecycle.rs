//! Lifecycle changes.

use domain::api::Api;
use domain::event::Event;
use domain::lifecycle::{LifecycleAction, LifecycleState};
use domain::oauth::Principal;
use domain::{Failure, error_code};
use store::apim::{apis, deployments, lifecycle_events};

use crate::ControlPlane;
use crate::apis::{metadata, not_found, parse_id};
use crate::deployments::undeploy;

impl ControlPlane {
    /// Moves the API along the state machine. Retiring takes it off the gateways.
    ///
    /// # Errors
    /// 404; 400 for an unknown action or one that the state does not allow.
    pub async fn change_lifecycle(&self, caller: &Principal, api_id: &str, action: &str) -> Result<Api, Failure> {
        let api_id = parse_id(api_id)?;
        let action = LifecycleAction::parse(action).ok_or_else(|| {
            let known: Vec<&str> = LifecycleAction::ALL.iter().map(|action| action.as_str()).collect();
            Failure::invalid("action", format!("'{action}' is not one of {}", known.join(", ")))
        })?;
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        self.apim()
            .write(move |conn| {
                let mut api = apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let (previous, expected) = (api.state, api.row_version);
                api.state = previous
                    .apply(action)
                    .map_err(|error| Failure::refused(error_code::BAD_REQUEST, error.to_string()))?;
                api.row_version += 1;
                api.updated_at = now;
                api.updated_by.clone_from(&user);
                apis::update(conn, &api, expected)?;
                lifecycle_events::insert(
                    conn,
                    &lifecycle_events::LifecycleEvent {
                        api_id,
                        organization: organization.clone(),
                        previous: Some(previous),
                        new: api.state,
                        user: user.clone(),
                        at: now,
                    },
                )?;
                if api.state == LifecycleState::Retired {
                    for deployment in deployments::list(conn, api_id)? {
                        undeploy(conn, &organization, api_id, deployment.environment, now)?;
                    }
                }
                conn.append(now, Event::ApiUpdated(metadata(&api)));
                Ok(api)
            })
            .await
    }
}
