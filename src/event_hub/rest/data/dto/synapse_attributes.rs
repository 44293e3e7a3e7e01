//! `SynapseAttributes`.

use domain::ApiId;
use domain::revision::Deployment;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SynapseAttributesDto {
    count: usize,
    /// Environments that serve the API.
    labels: Vec<String>,
    api_id: ApiId,
}

impl SynapseAttributesDto {
    pub(in super::super) fn new(api_id: ApiId, deployed: Vec<Deployment>) -> Self {
        let labels: Vec<String> = deployed.into_iter().map(|deployment| deployment.environment).collect();
        Self { count: labels.len(), labels, api_id }
    }
}
