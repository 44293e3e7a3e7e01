//! What says who may call what: APIs, applications, their keys and subscriptions, scopes.

use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::Reference;
use http::answer;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;
use store::apim::{apis, applications, key_mappings, scopes, subscriptions};

use super::asked_tenants::AskedTenants;
use super::dto::api::ApiDto;
use super::dto::application::ApplicationDto;
use super::dto::application_key_mapping::ApplicationKeyMappingDto;
use super::dto::scope::ScopeDto;
use super::dto::subscription::SubscriptionDto;
use super::extent::Extent;
use super::text::Text;
use super::{Caller, DataService};

/// Most scopes, by API, that are looked at.
const SCOPES_READ_MAX: u32 = 200_000;

/// A value as its type, or 400 that names the parameter.
pub(super) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    value: Option<&str>,
) -> Result<Option<T>, Problem> {
    value.map(str::parse).transpose().map_err(|error| Problem::invalid(name, error))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiParameters {
    api_id: Option<String>,
    context: Option<Text>,
    version: Option<Text>,
    gateway_label: Option<Text>,
}

pub async fn get_apis(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<ApiParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, page, ApiParameters { api_id, context, version, gateway_label }) =
        (asked.or_own(&caller)?, extent.page(), parameters.0);
    let filter = apis::of_tenants::Filter {
        id: parse("apiId", api_id.as_deref())?,
        full_context: context.map(String::from),
        version: version.map(String::from),
        environment: gateway_label.map(String::from),
    };
    let (found, total) = service.read(move |conn| apis::of_tenants::list(conn, &tenants, &filter, page)).await?;
    extent.envelope(found.into_iter().map(ApiDto::from).collect(), total).map(answer::ok)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationParameters {
    app_id: Option<String>,
}

pub async fn get_applications(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<ApplicationParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, page) = (asked.or_own(&caller)?, extent.page());
    let named = parse::<Reference<_>>("appId", parameters.0.app_id.as_deref())?;
    let found = service.read(move |conn| applications::list_of_tenants(conn, &tenants, named, page)).await?;
    extent.envelope(found.0.into_iter().map(ApplicationDto::from).collect(), found.1).map(answer::ok)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionParameters {
    api_id: Option<String>,
    app_id: Option<String>,
}

pub async fn get_subscriptions(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<SubscriptionParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, page) = (asked.or_own(&caller)?, extent.page());
    let filter = subscriptions::of_tenants::Filter {
        api: parse("apiId", parameters.0.api_id.as_deref())?,
        application: parse("appId", parameters.0.app_id.as_deref())?,
    };
    let found = service.read(move |conn| subscriptions::of_tenants::list(conn, &tenants, &filter, page)).await?;
    extent.envelope(found.0.iter().map(SubscriptionDto::from).collect(), found.1).map(answer::ok)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyMappingParameters {
    consumer_key: Option<Text>,
    keymanager: Option<Text>,
}

pub async fn get_application_key_mappings(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<KeyMappingParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, page) = (asked.or_own(&caller)?, extent.page());
    let KeyMappingParameters { consumer_key, keymanager } = parameters.0;
    let filter = key_mappings::of_tenants::Filter {
        consumer_key: consumer_key.map(String::from),
        key_manager: keymanager.map(String::from),
    };
    let found = service.read(move |conn| key_mappings::of_tenants::list(conn, &tenants, &filter, page)).await?;
    extent.envelope(found.0.into_iter().map(ApplicationKeyMappingDto::from).collect(), found.1).map(answer::ok)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeParameters {
    scope_key: Option<Text>,
}

pub async fn get_scopes(
    caller: Caller,
    asked: AskedTenants,
    parameters: QueryParams<ScopeParameters>,
    extent: Extent,
    service: Data<DataService>,
) -> Result<HttpResponse, Problem> {
    let (tenants, page, name) = (asked.or_own(&caller)?, extent.page(), parameters.0.scope_key.map(String::from));
    let list = move |conn: &mut _| scopes::of_tenants::list(conn, &tenants, name.as_deref(), page, SCOPES_READ_MAX);
    let (found, total) = service.read(list).await?;
    extent.envelope(found.into_iter().map(ScopeDto::from).collect(), total).map(answer::ok)
}
