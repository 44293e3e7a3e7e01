//! The event hub on other nodes: `contract::EventBus` and `contract::RuntimeData`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::contract::event_bus::{DeploymentAck, EventBus, EventBusError, Fetch, Fetched, GatewayHeartbeat, HubPulse};
use domain::contract::runtime_data::{RuntimeData, RuntimeDataError};
use domain::event::{LogName, Position};
use domain::internal_api::hub::{self, ArtifactRequest, FetchRequest, HeadRequest, SnapshotRequest};
use domain::runtime::{GatewayApi, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::peers::{PeerError, Peers, Repeat};

/// Longest wait for a snapshot or a large document.
const LARGE_ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// The hubs of the traffic managers; any of them can be followed from any position.
#[derive(Clone)]
pub struct RemoteHub(Peers);

impl RemoteHub {
    #[must_use]
    pub fn new(traffic_managers: Peers) -> Self {
        Self(traffic_managers)
    }

    async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> Result<A, EventBusError> {
        self.0.call(&path_of(path), question, Repeat::Safe).await.map_err(bus_error)
    }
}

fn path_of(path: &str) -> String {
    format!("{}{path}", hub::BASE)
}

fn bus_error(error: PeerError) -> EventBusError {
    match error {
        PeerError::Refused { .. } | PeerError::Status { .. } => EventBusError::Refused(error.to_string()),
        error => EventBusError::Unavailable(Box::new(error)),
    }
}

fn data_error(error: PeerError) -> RuntimeDataError {
    RuntimeDataError::Unavailable(Box::new(error))
}

#[async_trait]
impl EventBus for RemoteHub {
    async fn head(&self, log: LogName) -> Result<Position, EventBusError> {
        self.ask(hub::HEAD, &HeadRequest { log }).await
    }

    async fn fetch(&self, fetch: Fetch) -> Result<Fetched, EventBusError> {
        let timeout = fetch.wait + self.0.options().answer_timeout;
        let request = FetchRequest::from(fetch);
        let path = path_of(hub::FETCH);
        self.0.call_within(&path, &request, Repeat::Safe, timeout).await.map_err(bus_error)
    }

    async fn heartbeat(&self, heartbeat: GatewayHeartbeat) -> Result<HubPulse, EventBusError> {
        self.ask(hub::HEARTBEAT, &heartbeat).await
    }

    async fn acknowledge(&self, acks: Vec<DeploymentAck>) -> Result<(), EventBusError> {
        let _nothing: Value = self.ask(hub::ACKNOWLEDGE, &acks).await?;
        Ok(())
    }
}

#[async_trait]
impl RuntimeData for RemoteHub {
    async fn snapshot(&self, environments: &[String]) -> Result<Snapshot, RuntimeDataError> {
        let request = SnapshotRequest { environments: environments.to_vec() };
        let path = path_of(hub::SNAPSHOT);
        self.0.call_within(&path, &request, Repeat::Safe, LARGE_ANSWER_TIMEOUT).await.map_err(data_error)
    }

    async fn artifact(&self, hash: &str) -> Result<GatewayApi, RuntimeDataError> {
        let document = self.artifact_document(hash).await?;
        serde_json::from_str(&document).map_err(|error| RuntimeDataError::Unavailable(error.into()))
    }

    async fn artifact_document(&self, hash: &str) -> Result<Arc<str>, RuntimeDataError> {
        let request = ArtifactRequest { hash: hash.to_owned() };
        let answer = self.0.bytes(&path_of(hub::ARTIFACT), &request, Repeat::Safe, LARGE_ANSWER_TIMEOUT).await;
        let (_, body) = answer.map_err(|error| {
            if error.is_status(404) { RuntimeDataError::UnknownArtifact(hash.to_owned()) } else { data_error(error) }
        })?;
        let text = std::str::from_utf8(&body).map_err(|error| RuntimeDataError::Unavailable(error.into()))?;
        Ok(text.into())
    }
}
