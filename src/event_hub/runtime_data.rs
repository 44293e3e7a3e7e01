//! Snapshots and artifacts for gateways.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use domain::contract::runtime_data::{RuntimeData, RuntimeDataError};
use domain::runtime::{GatewayApi, Snapshot};
use store::StoreError;
use store::apim::{artifacts, runtime_data};

use crate::hub::EventHub;

fn unavailable<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> RuntimeDataError {
    RuntimeDataError::Unavailable(error.into())
}

#[async_trait]
impl RuntimeData for EventHub {
    async fn snapshot(&self, environments: &[String]) -> Result<Snapshot, RuntimeDataError> {
        let (environments, now) = (environments.to_vec(), self.inner.clock.now());
        self.inner.metrics.snapshots.inc();
        let snapshot = self.inner.apim.read(move |conn| runtime_data::snapshot(conn, &environments, now)).await;
        snapshot.map_err(unavailable::<StoreError>)
    }

    async fn artifact(&self, hash: &str) -> Result<GatewayApi, RuntimeDataError> {
        let document = self.artifact_document(hash).await?;
        serde_json::from_str(&document).map_err(unavailable)
    }

    async fn artifact_document(&self, hash: &str) -> Result<Arc<str>, RuntimeDataError> {
        let cache = || self.inner.artifacts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = cache().find(hash) {
            return Ok(document);
        }
        let wanted = hash.to_owned();
        let found = self.inner.apim.read(move |conn| artifacts::find(conn, &wanted)).await;
        let Some(document) = found.map_err(unavailable::<StoreError>)? else {
            return Err(RuntimeDataError::UnknownArtifact(hash.to_owned()));
        };
        let document: Arc<str> = document.into();
        cache().insert(hash, Arc::clone(&document));
        Ok(document)
    }
}
