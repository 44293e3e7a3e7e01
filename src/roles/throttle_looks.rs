//! Who is asked about throttle keys: the traffic manager in this process, and those on other nodes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use client::RemoteInspector;
use domain::contract::throttle_inspector::{KeyQuestion, KeyState};
use domain::contract::{InspectError, ThrottleInspector};

/// Times that the own traffic manager is asked while it is not certain who owns the key, and the pause between two.
const ROUNDS_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// The own one first, where it is; a key of another owner is asked of the others.
pub(crate) struct ThrottleLooks {
    pub own: Arc<dyn ThrottleInspector>,
    pub others: Option<RemoteInspector>,
}

#[async_trait]
impl ThrottleInspector for ThrottleLooks {
    async fn look(&self, question: &KeyQuestion) -> Result<KeyState, InspectError> {
        let mut round = 1;
        loop {
            let refusal = match self.own.look(question).await {
                Err(refusal @ (InspectError::NotOwner(_) | InspectError::Unsettled)) => refusal,
                answer => return answer,
            };
            if let (InspectError::NotOwner(_), Some(others)) = (&refusal, &self.others) {
                return others.look(question).await;
            }
            if round >= ROUNDS_MAX {
                return Err(refusal);
            }
            round += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
}
