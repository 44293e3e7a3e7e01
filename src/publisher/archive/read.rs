//! From an archive to the API in it.

use client::guarded_archive::{self, ArchiveFile, ArchiveLimits};
use control_plane::deployments::DeployTarget;
use domain::Failure;
use domain::definition::openapi::Limits;
use domain::definition::tree;
use domain::lifecycle::LifecycleState;
use serde_json::Value;

/// Folders and files whose content is not served yet. Leaving out what protects an API would be worse than refusing it.
const NOT_SERVED: [&str; 7] = [
    "Client-certificates/",
    "Endpoint-certificates/",
    "Policies/",
    "Sequences/",
    "WSDL/",
    "intermediate_params.yaml",
    "SourceArchive.zip",
];

/// The members of an archive that matter.
#[derive(Debug)]
pub struct Archive {
    /// The API object of `api.yaml`.
    pub data: Value,
    /// Bytes of the definition.
    pub definition: Option<Vec<u8>>,
    pub targets: Vec<DeployTarget>,
    pub state: LifecycleState,
    pub provider: Option<String>,
}

/// Takes an archive apart. This takes a while: not on a thread that serves calls.
///
/// # Errors
/// 400 that names the member and what is wrong in it.
pub fn read(bytes: &[u8]) -> Result<Archive, Failure> {
    let files =
        guarded_archive::read(bytes, &ArchiveLimits::default()).map_err(|error| Failure::invalid("file", error))?;
    let files = without_top_folder(files)?;
    if let Some(file) = files.iter().find(|file| NOT_SERVED.iter().any(|name| file.path.starts_with(name))) {
        return Err(Failure::invalid("file", format!("'{}' holds what is not served yet", file.path)));
    }
    let Some(data) = document(&files, "api", "api")? else {
        return Err(Failure::invalid("file", "the archive has no api.yaml or api.json"));
    };
    if !data.is_object() {
        return Err(Failure::invalid("file", "api: 'data' must be an object"));
    }
    let definition = ["Definitions/swagger.yaml", "Definitions/swagger.yml", "Definitions/swagger.json"]
        .into_iter()
        .find_map(|path| files.iter().find(|file| file.path == path))
        .map(|file| file.bytes.clone());
    Ok(Archive {
        state: state(&data)?,
        provider: data.get("provider").and_then(Value::as_str).map(str::to_owned),
        targets: targets(document(&files, "deployment_environments", "deployment_environments")?)?,
        definition,
        data,
    })
}

/// An archive has one folder that holds everything, or none.
fn without_top_folder(files: Vec<ArchiveFile>) -> Result<Vec<ArchiveFile>, Failure> {
    let is_api = |path: &str| matches!(path, "api.yaml" | "api.yml" | "api.json");
    if files.iter().any(|file| is_api(&file.path)) {
        return Ok(files);
    }
    let mut folders: Vec<String> = files
        .iter()
        .filter_map(|file| file.path.split_once('/'))
        .filter(|(_, rest)| is_api(rest))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    folders.dedup();
    let [folder] = folders.as_slice() else {
        return Err(Failure::invalid("file", "the archive has no api.yaml or api.json in its only folder"));
    };
    let prefix = format!("{folder}/");
    Ok(files
        .into_iter()
        .filter_map(|file| {
            let path = file.path.strip_prefix(&prefix)?.to_owned();
            Some(ArchiveFile { path, bytes: file.bytes })
        })
        .collect())
}

/// The `data` of a member; `None` when the archive has no such member.
fn document(files: &[ArchiveFile], name: &str, kind: &str) -> Result<Option<Value>, Failure> {
    let paths = ["yaml", "yml", "json"].map(|extension| format!("{name}.{extension}"));
    let mut found = files.iter().filter(|file| paths.contains(&file.path));
    let Some(file) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Failure::invalid("file", format!("the archive has '{name}' in more than one format")));
    }
    let refused = |reason: String| Failure::invalid("file", format!("{}: {reason}", file.path));
    let mut document = tree::read(&file.bytes, &Limits::default()).map_err(|error| refused(error.to_string()))?;
    if document.get("type").and_then(Value::as_str) != Some(kind) {
        return Err(refused(format!("'type' must be '{kind}'")));
    }
    match document.get_mut("data").map(Value::take) {
        Some(Value::Null) | None => Err(refused("'data' is missing".to_owned())),
        Some(data) => Ok(Some(data)),
    }
}

fn state(data: &Value) -> Result<LifecycleState, Failure> {
    match data.get("lifeCycleStatus") {
        None | Some(Value::Null) => Ok(LifecycleState::Created),
        Some(Value::String(text)) => LifecycleState::parse(&text.to_ascii_uppercase())
            .ok_or_else(|| Failure::invalid("lifeCycleStatus", format!("'{text}' is no lifecycle state"))),
        Some(_) => Err(Failure::invalid("lifeCycleStatus", "must be a string")),
    }
}

fn targets(data: Option<Value>) -> Result<Vec<DeployTarget>, Failure> {
    let refused = |reason: &str| Failure::invalid("deployment_environments", reason);
    let entries = match data {
        None => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(refused("'data' must be a list")),
    };
    let text = |entry: &Value, name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(refused(&format!("'{name}' must be a string"))),
    };
    entries
        .iter()
        .map(|entry| {
            Ok(DeployTarget {
                environment: text(entry, "deploymentEnvironment")?
                    .ok_or_else(|| refused("'deploymentEnvironment' is missing"))?,
                vhost: text(entry, "deploymentVhost")?,
                display_on_devportal: match entry.get("displayOnDevportal") {
                    None | Some(Value::Null) => true,
                    Some(Value::Bool(shown)) => *shown,
                    Some(_) => return Err(refused("'displayOnDevportal' must be true or false")),
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
