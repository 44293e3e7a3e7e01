//! Fetching API documents by their hash, in parallel and bounded, and checking that they are what they claim to be.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use domain::contract::RuntimeDataError;
use domain::runtime::GatewayApi;
use futures_util::StreamExt;
use node_store::last_good::Artifact;
use tokio::time::timeout;

use super::SyncError;
use super::core::Core;

/// Times that a document which does not match its hash is fetched: it may have been damaged on the way.
const TRIES_MAX: u32 = 3;

/// The documents of a batch.
#[derive(Debug, Default)]
pub(super) struct Documents {
    ready: HashMap<String, (Artifact, Arc<GatewayApi>)>,
    /// Why a document cannot be had; fails its own deployment only.
    pub(super) failures: HashMap<String, String>,
}

impl Documents {
    pub(super) fn api(&self, hash: &str) -> Option<Arc<GatewayApi>> {
        self.ready.get(hash).map(|(_, api)| Arc::clone(api))
    }

    pub(super) fn artifacts(&self) -> Vec<Artifact> {
        self.ready.values().map(|(artifact, _)| artifact.clone()).collect()
    }
}

/// Gets documents from the disk or else from the hub.
///
/// # Errors
/// Only when the hub or the disk cannot be reached, so that a later try may succeed.
pub(super) async fn obtain(core: &Core, hashes: HashSet<String>) -> Result<Documents, SyncError> {
    let mut documents = Documents::default();
    let parallel = core.options.artifacts_parallel.max(1);
    let mut answers = futures_util::stream::iter(hashes)
        .map(|hash| async move { (obtain_one(core, &hash).await, hash) })
        .buffer_unordered(parallel);
    while let Some((answer, hash)) = answers.next().await {
        match answer? {
            Ok(document) => drop(documents.ready.insert(hash, document)),
            Err(failure) => drop(documents.failures.insert(hash, failure)),
        }
    }
    Ok(documents)
}

type Checked = Result<(Artifact, Arc<GatewayApi>), String>;

async fn obtain_one(core: &Core, hash: &str) -> Result<Checked, SyncError> {
    let (last_good, wanted) = (core.last_good.clone(), hash.to_owned());
    let stored = tokio::task::spawn_blocking(move || last_good.find_artifact(&wanted)).await??;
    if let Some(Ok(document)) = stored.map(|document| check(hash, &document)) {
        return Ok(Ok(document));
    }
    let mut answer = fetch(core, hash).await?;
    for _ in 1..TRIES_MAX {
        if answer.is_ok() {
            break;
        }
        answer = fetch(core, hash).await?;
    }
    Ok(answer)
}

async fn fetch(core: &Core, hash: &str) -> Result<Checked, SyncError> {
    match timeout(core.options.answer_timeout, core.data.artifact_document(hash)).await? {
        Ok(document) if document.len() > core.options.artifact_bytes_max => {
            Ok(Err(format!("the artifact has {} bytes, which is too much", document.len())))
        }
        Ok(document) => Ok(check(hash, &document)),
        Err(RuntimeDataError::UnknownArtifact(_)) => Ok(Err("the hub has no such artifact".to_owned())),
        Err(error) => Err(error.into()),
    }
}

fn check(hash: &str, document: &str) -> Checked {
    if sha256_hex(document.as_bytes()) != hash {
        return Err("the artifact does not match its hash".to_owned());
    }
    let api = serde_json::from_str(document).map_err(|error| format!("the artifact cannot be read: {error}"))?;
    Ok((Artifact { hash: hash.to_owned(), document: document.to_owned() }, Arc::new(api)))
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, bytes).as_ref() {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
