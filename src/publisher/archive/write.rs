//! An API as an archive.

use client::guarded_archive::{self, ArchiveFile};
use control_plane::export::ExportedApi;
use domain::Failure;
use domain::definition::openapi::Limits;
use domain::definition::tree;
use serde_json::{Value, json};

use super::{FORMAT_VERSION, Format};
use crate::dto::api::ApiDto;

/// Whether the archive carries the lifecycle state, or makes a new API of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Preserved,
    Created,
}

/// The archive's bytes; the same API always makes the same ones.
///
/// # Errors
/// When the stored definition cannot be written in the wished format.
pub fn write(exported: &ExportedApi, format: Format, status: Status) -> Result<Vec<u8>, Failure> {
    let folder = format!("{}-{}", exported.api.name.as_str(), exported.api.version.as_str());
    let extension = format.extension();
    let mut data = serde_json::to_value(ApiDto(&exported.api)).map_err(Failure::internal)?;
    if let (Status::Created, Some(fields)) = (status, data.as_object_mut()) {
        fields.insert("lifeCycleStatus".to_owned(), json!("CREATED"));
    }
    let mut files = vec![
        member(format!("{folder}/api.{extension}"), "api", data, format)?,
        ArchiveFile {
            path: format!("{folder}/Definitions/swagger.{extension}"),
            bytes: definition(&exported.definition, format)?,
        },
    ];
    if !exported.deployments.is_empty() {
        let deployments: Vec<Value> = exported
            .deployments
            .iter()
            .map(|deployment| {
                json!({
                    "displayOnDevportal": deployment.display_on_devportal,
                    "deploymentEnvironment": deployment.environment,
                    "deploymentVhost": deployment.vhost,
                })
            })
            .collect();
        let path = format!("{folder}/deployment_environments.{extension}");
        files.push(member(path, "deployment_environments", Value::Array(deployments), format)?);
    }
    guarded_archive::write(&files).map_err(Failure::internal)
}

fn member(path: String, kind: &str, data: Value, format: Format) -> Result<ArchiveFile, Failure> {
    let document = json!({ "type": kind, "version": FORMAT_VERSION, "data": data });
    let bytes = match format {
        Format::Yaml => tree::to_yaml(&document).map_err(Failure::internal)?.into_bytes(),
        Format::Json => serde_json::to_vec_pretty(&document).map_err(Failure::internal)?,
    };
    Ok(ArchiveFile { path, bytes })
}

/// Byte for byte wherever the format allows it: JSON is YAML, but YAML is no JSON.
fn definition(bytes: &[u8], format: Format) -> Result<Vec<u8>, Failure> {
    let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if format == Format::Yaml || is_json {
        return Ok(bytes.to_vec());
    }
    let document = tree::read(bytes, &Limits::default()).map_err(Failure::internal)?;
    serde_json::to_vec_pretty(&document).map_err(Failure::internal)
}
