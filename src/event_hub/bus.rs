//! The hub as gateways in the same process see it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::contract::event_bus::{DeploymentAck, EventBus, EventBusError, Fetch, Fetched, GatewayHeartbeat, HubPulse};
use domain::event::{LogName, Position};
use store::apim::gateways;
use store::{StoreError, outbox};
use tokio::time::Instant;

use crate::audit;
use crate::hub::{EventHub, Inner};
use crate::relay::{self, Standing, Verdict, standing};
use crate::tail;

/// Most acknowledgements in one call; gateways send them in smaller portions.
const ACKS_PER_CALL_MAX: usize = 1_000;

/// Most environments that one gateway may serve.
const ENVIRONMENTS_MAX: usize = 100;

fn unavailable<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> EventBusError {
    EventBusError::Unavailable(error.into())
}

#[async_trait]
impl EventBus for EventHub {
    async fn head(&self, log: LogName) -> Result<Position, EventBusError> {
        self.inner.apim.read(move |conn| outbox::head(conn, log)).await.map_err(unavailable::<StoreError>)
    }

    async fn fetch(&self, fetch: Fetch) -> Result<Fetched, EventBusError> {
        let deadline = Instant::now() + fetch.wait.min(self.inner.config.fetch_wait_max.get());
        let mut views = self.inner.view(fetch.log).subscribe();
        let mut is_verified = false;
        loop {
            let view = views.borrow_and_update().clone();
            match standing(&view, &fetch.after) {
                Standing::Behind => return read(&self.inner, &fetch, view.extent.head).await,
                Standing::TooFarBehind => return Ok(Fetched::SnapshotRequired),
                Standing::Unknown if !is_verified => {
                    is_verified = true;
                    if look_up(&self.inner, &fetch).await.map_err(unavailable)? != Verdict::Ahead {
                        return Ok(Fetched::SnapshotRequired);
                    }
                    // The reader has been at another hub, or at the database itself: this copy will be there soon.
                    self.inner.nudge(fetch.log).notify_one();
                }
                Standing::Level | Standing::Unknown => {}
            }
            if tokio::time::timeout_at(deadline, views.changed()).await.is_err() {
                return Ok(Fetched::Entries { entries: Vec::new(), head: view.extent.head });
            }
        }
    }

    async fn heartbeat(&self, heartbeat: GatewayHeartbeat) -> Result<HubPulse, EventBusError> {
        if heartbeat.environments.len() > ENVIRONMENTS_MAX {
            return Err(EventBusError::Refused(format!("a gateway has at most {ENVIRONMENTS_MAX} environments")));
        }
        let (now, environments) = (self.inner.clock.now(), heartbeat.environments.clone());
        let fresh_for = self.inner.config.gateway_fresh_for.get();
        let beat = move |conn: &mut store::ApimConn| {
            gateways::heartbeat(conn, &heartbeat, now)?;
            gateways::sharing(conn, &heartbeat.environments, now, fresh_for)
        };
        let live_gateways = self.inner.apim.write(beat).await.map_err(unavailable)?;
        let head = |log| self.inner.view(log).borrow().extent.head;
        let content = audit::content(&self.inner, &environments);
        Ok(HubPulse { control: head(LogName::Control), revocation: head(LogName::Revocation), live_gateways, content })
    }

    async fn acknowledge(&self, acks: Vec<DeploymentAck>) -> Result<(), EventBusError> {
        if acks.len() > ACKS_PER_CALL_MAX {
            return Err(EventBusError::Refused(format!("at most {ACKS_PER_CALL_MAX} acknowledgements in one call")));
        }
        let acks = Arc::new(acks);
        self.inner.apim.write(move |conn| gateways::acknowledge(conn, &acks)).await.map_err(unavailable)
    }
}

async fn read(hub: &Arc<Inner>, fetch: &Fetch, head: u64) -> Result<Fetched, EventBusError> {
    let (broker, log, after) = (hub.broker.clone(), fetch.log, fetch.after.clone());
    let max = fetch.max.clamp(1, hub.config.fetch_entries_max.max(1));
    let entries = tokio::task::spawn_blocking(move || broker.read_after(log, &after, max))
        .await
        .map_err(unavailable)?
        .map_err(unavailable)?;
    // `None`: trimmed or started anew since the view was taken.
    Ok(entries.map_or(Fetched::SnapshotRequired, |entries| Fetched::Entries { entries, head }))
}

/// What the database says of the reader's position. A log that was restored gets a new id.
async fn look_up(hub: &Arc<Inner>, fetch: &Fetch) -> Result<Verdict, StoreError> {
    let log = fetch.log;
    let head = hub.apim.read(move |conn| outbox::head(conn, log)).await?;
    let verdict = relay::verify(&head, &fetch.after);
    if verdict == Verdict::Restored {
        tail::renew(hub, log, head).await?;
        hub.nudge(log).notify_one();
    }
    Ok(verdict)
}
