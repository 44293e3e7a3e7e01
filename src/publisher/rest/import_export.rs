//! Tag `Import Export`.

use actix_web::http::header::ACCEPT;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use control_plane::ControlPlane;
use control_plane::export::{ExportName, ExportedCopy};
use control_plane::import::{Existing, FullRevisions, ImportedApi};
use control_plane::revisions::RevisionName;
use domain::Failure;
use http::answer;
use http::guard::Guarded;
use http::json;
use http::multipart::Form;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::{ApiExport, ApiImport};
use crate::archive::Format;
use crate::archive::read::{self, Archive};
use crate::archive::write::{self, Status};
use crate::dto::api::ApiInput;
use crate::dto::import::{DryRunDto, ImportApiResponseDto};

/// Parameters of `exportAPI`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportParameters {
    api_id: Option<String>,
    name: Option<String>,
    version: Option<String>,
    provider_name: Option<String>,
    revision_number: Option<String>,
    latest_revision: bool,
    preserve_status: Option<bool>,
    format: Option<String>,
}

/// Parameters of `importAPI`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportParameters {
    preserve_provider: Option<bool>,
    rotate_revision: bool,
    overwrite: bool,
    dry_run: bool,
}

impl ExportParameters {
    fn name(&self) -> Result<ExportName, Problem> {
        if let Some(id) = &self.api_id {
            return Ok(ExportName::Id(id.clone()));
        }
        let (Some(name), Some(version)) = (&self.name, &self.version) else {
            return Err(Problem::invalid("apiId", "is missing: name an API by apiId, or by name and version"));
        };
        let provider = self.provider_name.clone();
        Ok(ExportName::Named { name: name.clone(), version: version.clone(), provider })
    }

    fn copy(&self) -> Result<ExportedCopy, Problem> {
        if self.latest_revision {
            return Ok(ExportedCopy::LatestRevision);
        }
        let Some(number) = self.revision_number.as_deref() else { return Ok(ExportedCopy::Working) };
        Ok(ExportedCopy::Revision(RevisionName::from_parameters(None, Some(number))?))
    }

    fn format(&self) -> Result<Format, Problem> {
        match self.format.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("YAML") => Ok(Format::Yaml),
            Some("JSON") => Ok(Format::Json),
            Some(other) => Err(Problem::invalid("format", format!("'{other}' is not YAML or JSON"))),
        }
    }

    fn status(&self) -> Status {
        if self.preserve_status.unwrap_or(true) { Status::Preserved } else { Status::Created }
    }
}

pub async fn export_api(
    caller: Guarded<ApiExport>,
    parameters: QueryParams<ExportParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let (format, status) = (parameters.0.format()?, parameters.0.status());
    let exported = control_plane.export_api(&caller, parameters.0.name()?, parameters.0.copy()?).await?;
    let filename = format!("{}-{}.zip", exported.api.name.as_str(), exported.api.version.as_str());
    let archive = off_thread(move || write::write(&exported, format, status)).await?;
    Ok(answer::attachment("application/zip", &filename, archive))
}

/// Clients that ask for JSON get the ids; the others a sentence.
pub async fn import_api(
    caller: Guarded<ApiImport>,
    request: HttpRequest,
    parameters: QueryParams<ImportParameters>,
    form: Form,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let file = form.part("file").ok_or_else(|| Problem::invalid("file", "is missing: send the archive"))?;
    let bytes = file.bytes.clone();
    let archive = off_thread(move || read::read(&bytes)).await?;
    let imported = imported(archive, &parameters.0, &control_plane).await?;
    if parameters.0.dry_run {
        control_plane.check_import(&caller, imported).await?;
        return Ok(answer::ok(DryRunDto::passed()));
    }
    let imported = control_plane.import_api(&caller, imported).await?;
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("application/json") {
        return Ok(answer::ok(ImportApiResponseDto::from(&imported)));
    }
    Ok(answer::text("text/plain", "API imported successfully."))
}

async fn imported(
    archive: Archive,
    parameters: &ImportParameters,
    control_plane: &ControlPlane,
) -> Result<ImportedApi, Problem> {
    let definition = match archive.definition {
        Some(bytes) => Some(control_plane.read_definition(control_plane::apis::DefinitionSource::Bytes(bytes)).await?),
        None => None,
    };
    // The archive's own operations know who may call them; a definition speaks for archives that list none.
    let has_operations = archive.data.get("operations").is_some_and(serde_json::Value::is_array);
    let input: ApiInput = json::parse(archive.data.to_string().as_bytes())?;
    let parsed = definition.as_ref().filter(|_| !has_operations).map(|uploaded| &uploaded.parsed);
    Ok(ImportedApi {
        new: input.into_new(parsed)?,
        provider: archive.provider.filter(|_| parameters.preserve_provider.unwrap_or(true)),
        state: archive.state,
        targets: archive.targets,
        existing: if parameters.overwrite { Existing::Overwrite } else { Existing::Refuse },
        full_revisions: if parameters.rotate_revision { FullRevisions::Rotate } else { FullRevisions::Refuse },
        definition,
    })
}

/// Packing and unpacking take a while.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    match actix_web::web::block(work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_stopped) => Err(Problem::busy(1)),
    }
}
