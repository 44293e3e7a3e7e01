//! Lifecycle changes.

use domain::api::Api;
use domain::event::Event;
use domain::lifecycle::{LifecycleAction, LifecycleState};
use domain::oauth::Principal;
use domain::{Failure, Timestamp, error_code};
use store::ApimConn;
use store::apim::{apis, deployments, lifecycle_events};

use crate::ControlPlane;
use crate::apis::{clear_other_defaults, metadata, not_found, parse_id, take_turn};
use crate::deployments::undeploy;
use crate::lifecycle_checklist::{self, Checklist};

impl ControlPlane {
    /// Moves the API along the state machine. Retiring takes it off the gateways; publishing does what the checklist says.
    ///
    /// # Errors
    /// 404; 400 for an unknown action or one that the state does not allow.
    pub async fn change_lifecycle(
        &self,
        caller: &Principal,
        api_id: &str,
        action: &str,
        checklist: Checklist,
    ) -> Result<Api, Failure> {
        let api_id = parse_id(api_id)?;
        let action = LifecycleAction::parse(action).ok_or_else(|| {
            let known: Vec<&str> = LifecycleAction::ALL.iter().map(|action| action.as_str()).collect();
            Failure::invalid("action", format!("'{action}' is not one of {}", known.join(", ")))
        })?;
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        self.apim()
            .write(move |conn| {
                take_turn(conn, &organization)?;
                let mut api = apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let previous = api.state;
                advance(conn, &mut api, action, &user, now)?;
                // The checklist is offered before a first publication only.
                let was_unpublished = matches!(previous, LifecycleState::Created | LifecycleState::Prototyped);
                if was_unpublished && api.state == LifecycleState::Published {
                    lifecycle_checklist::apply(conn, &api, checklist, &user, now)?;
                }
                Ok(api)
            })
            .await
    }
}

/// Takes the locked `api` one step along the state machine, with its history and events.
///
/// # Errors
/// 400 when its state does not allow the action.
pub(crate) fn advance(
    conn: &mut ApimConn,
    api: &mut Api,
    action: LifecycleAction,
    user: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let (previous, expected) = (api.state, api.row_version);
    api.state = previous.apply(action).map_err(|error| Failure::refused(error_code::BAD_REQUEST, error.to_string()))?;
    api.row_version += 1;
    api.updated_at = now;
    user.clone_into(&mut api.updated_by);
    apis::update(conn, api, expected)?;
    lifecycle_events::insert(
        conn,
        &lifecycle_events::LifecycleEvent {
            api_id: api.id,
            organization: api.organization.clone(),
            previous: Some(previous),
            new: api.state,
            user: user.to_owned(),
            at: now,
        },
    )?;
    if api.state == LifecycleState::Retired {
        for deployment in deployments::list(conn, api.id)? {
            undeploy(conn, &api.organization, api.id, deployment.environment, now)?;
        }
    }
    if previous == LifecycleState::Created && api.takes_default() {
        clear_other_defaults(conn, api, now)?;
    }
    conn.append(now, Event::ApiUpdated(metadata(api)));
    Ok(())
}
