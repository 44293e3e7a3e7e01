//! What the gateway serves.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::error_code;
use http::answer;
use http::problem::Problem;
use http::query::QueryParams;
use serde::{Deserialize, Serialize};

use super::operator::Operator;
use crate::table::Tables;

/// Parameters of `getAPIArtifacts`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactParameters {
    api_name: String,
    version: String,
    tenant_domain: Option<String>,
}

#[derive(Debug, Serialize)]
struct ArtifactDto {
    /// The artifact's document as text.
    api: String,
}

/// 404 until the API is served here: tools wait for a deployment with it.
pub async fn get_api_artifacts(
    operator: Operator,
    parameters: QueryParams<ArtifactParameters>,
    tables: Data<Tables>,
) -> Result<HttpResponse, Problem> {
    let ArtifactParameters { api_name, version, tenant_domain } = parameters.0;
    let own = &operator.0.organization;
    let organization = tenant_domain.unwrap_or_else(|| own.to_string());
    // Operators of the super tenant run the gateway; others see their own tenant.
    let may_see = own.is_super() || organization == own.as_str();
    let found = tables.find_artifact(&organization, &api_name, &version).filter(|_| may_see).ok_or_else(|| {
        Problem::new(error_code::NOT_FOUND, format!("the API '{api_name}' {version} is not deployed on this gateway"))
    })?;
    let api = serde_json::to_string(found.as_ref()).map_err(|error| Problem::internal(&error))?;
    Ok(answer::ok(ArtifactDto { api }))
}
