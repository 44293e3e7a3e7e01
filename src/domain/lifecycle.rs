//! The lifecycle of an API: states, actions and the transitions between them (WSO2's default `APILifeCycle`).

use serde::{Deserialize, Serialize};

/// Where an API stands (WSO2 `API.lifeCycleStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LifecycleState {
    Created,
    Prototyped,
    Published,
    Blocked,
    Deprecated,
    Retired,
}

/// What a publisher asks for; the wire text is exact (`POST /apis/change-lifecycle?action=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LifecycleAction {
    Publish,
    DeployAsPrototype,
    DemoteToCreated,
    Block,
    RePublish,
    Deprecate,
    Retire,
}

/// The state machine has no such edge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("action '{action}' is not allowed in state {state}; allowed: {allowed}")]
pub struct ForbiddenTransition {
    pub action: String,
    pub state: &'static str,
    pub allowed: String,
}

impl LifecycleState {
    /// Whether an API in this state has the paths without a version when it is the default version: one that is only
    /// created leaves them to the version that has them until it is published.
    #[must_use]
    pub fn takes_default(self) -> bool {
        self != Self::Created
    }

    pub const ALL: [Self; 6] =
        [Self::Created, Self::Prototyped, Self::Published, Self::Blocked, Self::Deprecated, Self::Retired];

    /// `PUBLISHED`: the spelling of `lifeCycleStatus`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Prototyped => "PROTOTYPED",
            Self::Published => "PUBLISHED",
            Self::Blocked => "BLOCKED",
            Self::Deprecated => "DEPRECATED",
            Self::Retired => "RETIRED",
        }
    }

    /// `Published`: the spelling of `LifecycleState.state`.
    #[must_use]
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Prototyped => "Prototyped",
            Self::Published => "Published",
            Self::Blocked => "Blocked",
            Self::Deprecated => "Deprecated",
            Self::Retired => "Retired",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Edges out of this state in the order that clients expect. Self-transitions (re-publish of a published API) are
    /// part of [`Self::apply`] but not listed, as in WSO2's portals.
    #[must_use]
    pub fn transitions(self) -> &'static [(LifecycleAction, LifecycleState)] {
        use LifecycleAction as Action;
        match self {
            Self::Created => &[(Action::Publish, Self::Published), (Action::DeployAsPrototype, Self::Prototyped)],
            Self::Prototyped => &[(Action::Publish, Self::Published), (Action::DemoteToCreated, Self::Created)],
            Self::Published => &[
                (Action::DeployAsPrototype, Self::Prototyped),
                (Action::Block, Self::Blocked),
                (Action::DemoteToCreated, Self::Created),
                (Action::Deprecate, Self::Deprecated),
            ],
            Self::Blocked => &[(Action::RePublish, Self::Published), (Action::Deprecate, Self::Deprecated)],
            Self::Deprecated => &[(Action::Retire, Self::Retired)],
            Self::Retired => &[],
        }
    }

    /// The state after `action`, or why there is none.
    pub fn apply(self, action: LifecycleAction) -> Result<Self, ForbiddenTransition> {
        let is_self_transition = matches!(
            (self, action),
            (Self::Published, LifecycleAction::Publish) | (Self::Prototyped, LifecycleAction::DeployAsPrototype)
        );
        if is_self_transition {
            return Ok(self);
        }
        self.transitions().iter().find(|(edge, _)| *edge == action).map(|(_, to)| *to).ok_or_else(|| {
            ForbiddenTransition {
                action: action.as_str().to_owned(),
                state: self.display_name(),
                allowed: self.transitions().iter().map(|(edge, _)| edge.as_str()).collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// The fewest actions that lead from this state to `target`; `None` when there is no way.
    #[must_use]
    pub fn path_to(self, target: Self) -> Option<Vec<LifecycleAction>> {
        let mut paths = std::collections::VecDeque::from([(self, Vec::new())]);
        let mut seen = vec![self];
        while let Some((state, path)) = paths.pop_front() {
            if state == target {
                return Some(path);
            }
            for (action, next) in state.transitions() {
                if !seen.contains(next) {
                    seen.push(*next);
                    let path = path.iter().copied().chain([*action]).collect();
                    paths.push_back((*next, path));
                }
            }
        }
        None
    }

    /// Whether the developer portal shows the API.
    #[must_use]
    pub fn is_visible_in_devportal(self) -> bool {
        matches!(self, Self::Prototyped | Self::Published | Self::Blocked)
    }

    /// Whether new subscriptions are taken.
    #[must_use]
    pub fn takes_subscriptions(self) -> bool {
        self == Self::Published
    }
}

impl LifecycleAction {
    pub const ALL: [Self; 7] = [
        Self::Publish,
        Self::DeployAsPrototype,
        Self::DemoteToCreated,
        Self::Block,
        Self::RePublish,
        Self::Deprecate,
        Self::Retire,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "Publish",
            Self::DeployAsPrototype => "Deploy as a Prototype",
            Self::DemoteToCreated => "Demote to Created",
            Self::Block => "Block",
            Self::RePublish => "Re-Publish",
            Self::Deprecate => "Deprecate",
            Self::Retire => "Retire",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_transition_can_be_applied_and_no_other() {
        for state in LifecycleState::ALL {
            for action in LifecycleAction::ALL {
                let listed = state.transitions().iter().find(|(edge, _)| *edge == action);
                match (listed, state.apply(action)) {
                    (Some((_, to)), Ok(reached)) => assert_eq!(*to, reached),
                    (None, Ok(reached)) => assert_eq!(reached, state, "only self-transitions are unlisted"),
                    (Some(_), Err(error)) => panic!("{error}"),
                    (None, Err(_)) => {}
                }
            }
        }
    }

    #[test]
    fn a_path_leads_to_every_later_state_and_never_back_from_retirement() {
        for target in LifecycleState::ALL {
            let path = LifecycleState::Created.path_to(target).unwrap();
            let reached = path.into_iter().try_fold(LifecycleState::Created, LifecycleState::apply).unwrap();
            assert_eq!(reached, target);
        }
        assert_eq!(LifecycleState::Retired.path_to(LifecycleState::Published), None);
        assert_eq!(LifecycleState::Published.path_to(LifecycleState::Published), Some(Vec::new()));
    }

    #[test]
    fn a_forbidden_action_names_what_is_allowed() {
        let error = LifecycleState::Created.apply(LifecycleAction::Retire).unwrap_err();
        assert_eq!(
            error.to_string(),
            "action 'Retire' is not allowed in state Created; allowed: Publish, Deploy as a Prototype"
        );
    }

    #[test]
    fn every_spelling_survives_parsing() {
        for action in LifecycleAction::ALL {
            assert_eq!(LifecycleAction::parse(action.as_str()), Some(action));
        }
        for state in LifecycleState::ALL {
            assert_eq!(LifecycleState::parse(state.as_str()), Some(state));
        }
    }
}
