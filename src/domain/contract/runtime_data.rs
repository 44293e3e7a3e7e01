//! What gateways pull: snapshots and artifacts.

use std::sync::Arc;

use async_trait::async_trait;

use crate::runtime::{GatewayApi, Snapshot};

/// The control plane cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeDataError {
    #[error("there is no artifact {0}")]
    UnknownArtifact(String),
    #[error("runtime data cannot be read")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Source of runtime data.
#[async_trait]
pub trait RuntimeData: Send + Sync {
    /// Everything for gateways that serve `environments`, read in one transaction with the logs' positions.
    async fn snapshot(&self, environments: &[String]) -> Result<Snapshot, RuntimeDataError>;

    /// The document with this SHA-256 (hex).
    async fn artifact(&self, hash: &str) -> Result<GatewayApi, RuntimeDataError>;

    /// The same document's JSON byte for byte as it was hashed, so that the reader can verify the hash also when its own
    /// release would write the document differently.
    async fn artifact_document(&self, hash: &str) -> Result<Arc<str>, RuntimeDataError> {
        let api = self.artifact(hash).await?;
        let document = serde_json::to_string(&api).map_err(|error| RuntimeDataError::Unavailable(error.into()))?;
        Ok(document.into())
    }
}
