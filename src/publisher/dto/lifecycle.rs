//! `LifecycleState`, `WorkflowResponse`.

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

impl From<LifecycleState> for LifecycleStateDto {
    fn from(state: LifecycleState) -> Self {
        let transitions = state
            .transitions()
            .iter()
            .map(|(action, to)| TransitionDto { event: action.as_str(), target_state: to.display_name() });
        Self { state: state.display_name(), check_items: Vec::new(), available_transitions: transitions.collect() }
    }
}

impl WorkflowResponseDto {
    pub fn approved(state: LifecycleState) -> Self {
        Self { workflow_status: "APPROVED", json_payload: "", lifecycle_state: state.into() }
    }
}
