//! Looks at throttle keys that traffic managers on other nodes own: `contract::ThrottleInspector`.

use std::time::Duration;

use async_trait::async_trait;
use domain::contract::throttle_inspector::{InspectError, KeyQuestion, KeyState, ThrottleInspector};
use domain::internal_api::throttle::{BASE, LOOK, LookAnswer};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::peers::{PeerError, Peers};

/// Times that all are asked while nobody says that it owns the key, and the pause between two.
const ROUNDS_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Asks every traffic manager; the key's owner answers.
#[derive(Clone)]
pub struct RemoteInspector(Peers);

impl RemoteInspector {
    #[must_use]
    pub fn new(traffic_managers: Peers) -> Self {
        Self(traffic_managers)
    }

    /// `None` when somebody was reached, but nobody owns the key for certain: it may be moving.
    async fn round(&self, question: &KeyQuestion) -> Result<Option<KeyState>, InspectError> {
        let path = format!("{BASE}{LOOK}");
        let mut answers: FuturesUnordered<_> =
            (0..self.0.len()).map(|index| self.0.call_peer::<_, LookAnswer>(index, &path, question)).collect();
        let (mut was_reached, mut failures) = (false, Vec::new());
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(LookAnswer::State(state)) => return Ok(Some(state)),
                Ok(LookAnswer::NotOwner { .. } | LookAnswer::Unsettled) => was_reached = true,
                // Of a node that is not there the others know more in a moment.
                Err(error) => failures.push(error),
            }
        }
        if was_reached {
            return Ok(None);
        }
        Err(InspectError::Unavailable(reasons(failures).into()))
    }
}

fn reasons(failures: Vec<PeerError>) -> String {
    if failures.is_empty() {
        return "[cluster] traffic_managers names none".to_owned();
    }
    let reasons: Vec<String> = failures.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

#[async_trait]
impl ThrottleInspector for RemoteInspector {
    async fn look(&self, question: &KeyQuestion) -> Result<KeyState, InspectError> {
        for _ in 0..ROUNDS_MAX {
            if let Some(state) = self.round(question).await? {
                return Ok(state);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(InspectError::Unsettled)
    }
}
