//! `LifecycleState`, `LifecycleHistoryItem`, `WorkflowResponse`.

use control_plane::lifecycle_checklist::{
    DEPRECATE_OLD_VERSIONS, LifecycleEvent, LifecycleView, REQUIRE_RE_SUBSCRIPTION,
};
use domain::lifecycle::LifecycleState;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleStateDto {
    state: &'static str,
    check_items: Vec<CheckItemDto>,
    available_transitions: Vec<TransitionDto>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckItemDto {
    name: &'static str,
    value: bool,
    required_states: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TransitionDto {
    event: &'static str,
    target_state: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowResponseDto {
    workflow_status: &'static str,
    json_payload: &'static str,
    lifecycle_state: LifecycleStateDto,
}

impl From<LifecycleView> for LifecycleStateDto {
    fn from(view: LifecycleView) -> Self {
        let state = view.state;
        let transitions = state
            .transitions()
            .iter()
            .map(|(action, to)| TransitionDto { event: action.as_str(), target_state: to.display_name() });
        let items: &[&'static str] =
            if view.offers_checklist { &[DEPRECATE_OLD_VERSIONS, REQUIRE_RE_SUBSCRIPTION] } else { &[] };
        let check_items = items.iter().map(|name| CheckItemDto {
            name,
            value: false,
            required_states: vec![LifecycleState::Published.display_name()],
        });
        Self {
            state: state.display_name(),
            check_items: check_items.collect(),
            available_transitions: transitions.collect(),
        }
    }
}

impl WorkflowResponseDto {
    pub fn approved(view: LifecycleView) -> Self {
        Self { workflow_status: "APPROVED", json_payload: "", lifecycle_state: view.into() }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleHistoryItemDto {
    /// Absent for the creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_state: Option<&'static str>,
    post_state: &'static str,
    user: String,
    updated_time: String,
}

impl From<&LifecycleEvent> for LifecycleHistoryItemDto {
    fn from(event: &LifecycleEvent) -> Self {
        Self {
            previous_state: event.previous.map(LifecycleState::as_str),
            post_state: event.new.as_str(),
            user: event.user.clone(),
            updated_time: event.at.to_string(),
        }
    }
}
