//! What gateways load.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::error_code;
use http::answer;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;
use store::apim::artifacts::of_tenants::{self, Documents};
use store::apim::{apis, deployments};

use super::asked_tenants::{AskedTenants, permitted_domain};
use super::dto::synapse_attributes::SynapseAttributesDto;
use super::extent::{Extent, too_much};
use super::subscription_validation::parse;
use super::text::Text;
use super::{Caller, DataService};

/// The type of this product's artifacts.
const TYPE: &str = "Gatewright";

/// Most artifacts that are counted.
const ARTIFACTS_MAX: u32 = 200_000;

/// Largest answer, before its texts are escaped.
const BYTES_MAX: usize = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactParameters {
    api_id: Option<String>,
    gateway_label: Option<Text>,
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<Text>,
    version: Option<Text>,
}

/// Each entry is a document of [`domain::runtime::GatewayApi`] as text: there are none of other types.
pub async fn get_runtime_artifacts(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<ArtifactParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let ArtifactParameters { api_id, gateway_label, kind, name, version } = parameters.0;
    let (tenants, page) = (asked.or_own(&caller)?, extent.page());
    let filter = of_tenants::Filter {
        api_id: parse("apiId", api_id.as_deref())?,
        environment: gateway_label.map(String::from),
        name: name.map(String::from),
        version: version.map(String::from),
    };
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case(TYPE)) {
        return extent.envelope(Vec::<String>::new(), 0).map(answer::ok);
    }
    let limits = (ARTIFACTS_MAX, BYTES_MAX);
    let list = move |conn: &mut _| of_tenants::list(conn, &tenants, &filter, page, limits);
    match service.read(list).await? {
        Documents::Read(documents, total) => extent.envelope(documents, total).map(answer::ok),
        Documents::TooLarge => Err(too_much("the artifacts are too large to come at once")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttributeParameters {
    api_name: Option<Text>,
    version: Option<Text>,
    tenant_domain: Option<String>,
}

/// Where the API is deployed.
pub async fn get_synapse_attributes(
    caller: Caller,
    parameters: QueryParams<AttributeParameters>,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let AttributeParameters { api_name, version, tenant_domain } = parameters.0;
    let name: String = api_name.ok_or_else(|| Problem::invalid("apiName", "is missing"))?.into();
    let version: String = version.ok_or_else(|| Problem::invalid("version", "is missing"))?.into();
    let organization = permitted_domain("tenantDomain", &caller, tenant_domain.as_deref())?;
    let unknown = || Problem::new(error_code::NOT_FOUND, format!("there is no API '{name}' {version}"));
    let (wanted_name, wanted_version) = (name.clone(), version.clone());
    let found = service.read(move |conn| {
        let named = apis::list_by_name(conn, &organization, &wanted_name)?;
        let Some(api) = named.into_iter().find(|api| api.version.as_str() == wanted_version) else { return Ok(None) };
        let deployed = deployments::list(conn, api.id)?;
        Ok(Some((api.id, deployed)))
    });
    let (id, deployed) = found.await?.ok_or_else(unknown)?;
    Ok(answer::ok(SynapseAttributesDto::new(id, deployed)))
}
