//! `ImportAPIResponse`, and the report of a dry run.

use control_plane::import::Imported;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct ImportApiResponseDto {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
}

impl From<&Imported> for ImportApiResponseDto {
    fn from(imported: &Imported) -> Self {
        Self {
            id: imported.api.id.to_string(),
            revision: imported.revision.as_ref().map(|revision| revision.id.to_string()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DryRunDto {
    compliance_check: ComplianceDto,
}

#[derive(Debug, Serialize)]
struct ComplianceDto {
    result: &'static str,
    violations: Vec<String>,
}

impl DryRunDto {
    /// The archive would be taken in; what would not is an error already.
    pub fn passed() -> Self {
        Self { compliance_check: ComplianceDto { result: "pass", violations: Vec::new() } }
    }
}
