//! `POST /client-registration/v0.17/register`: dynamic client registration as WSO2's tools do it. The same name and owner
//! always get the same client, with the same secret. Below `/t/<tenant>` it is for that tenant's users only.

use actix_web::{HttpRequest, HttpResponse};
use domain::Organization;
use domain::oauth::{ClientRegistration, RegisteredClient};
use domain::user::{User, role};
use serde::{Deserialize, Serialize};

use super::realm::Realm;
use super::{Body, Service};
use crate::error::OAuthError;
use crate::service::KeyManagerService;
use crate::{basic, clients};

/// What a client that names no grant types gets (RFC 7591 section 2).
const DEFAULT_GRANT_TYPE: &str = "authorization_code";

/// Members that are not named here are ignored: clients send several that mean nothing to them either.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationRequestDto {
    client_name: String,
    #[serde(default)]
    callback_url: Option<String>,
    #[serde(default)]
    grant_type: Option<String>,
    #[serde(default)]
    saas_app: Option<bool>,
    #[serde(default)]
    owner: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationResponseDto {
    client_id: String,
    client_name: String,
    #[serde(rename = "callBackURL")]
    callback_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    is_saas_application: bool,
    app_owner: String,
    json_string: String,
    json_app_attribute: &'static str,
    token_type: Option<&'static str>,
}

/// The client once more, as the JSON text in `jsonString`.
#[derive(Serialize)]
struct JsonStringDto<'a> {
    grant_types: String,
    redirect_uris: &'a str,
    client_name: &'a str,
}

pub(super) async fn register(service: Service, request: HttpRequest, body: Body) -> HttpResponse {
    super::answer(&service, serve(&service, &request, body).await)
}

async fn serve(
    service: &KeyManagerService,
    request: &HttpRequest,
    body: Body,
) -> Result<RegistrationResponseDto, OAuthError> {
    let realm = Realm::of(service, request).await?;
    let caller = authenticate(service, request, &realm).await?;
    let wished: RegistrationRequestDto = serde_json::from_slice(&body?.0)
        .map_err(|error| OAuthError::InvalidClientMetadata(format!("the body is not a registration: {error}")))?;
    let owner = owner(service, &caller, wished.owner.as_deref()).await?;
    let grant_types = wished.grant_type.as_deref().unwrap_or_default();
    let mut grant_types: Vec<String> = grant_types.split_whitespace().map(str::to_owned).collect();
    if grant_types.is_empty() {
        grant_types.push(DEFAULT_GRANT_TYPE.to_owned());
    }
    let registration = ClientRegistration {
        organization: caller.organization.clone(),
        name: wished.client_name,
        owner,
        grant_types,
        callback_url: wished.callback_url.unwrap_or_default(),
        is_saas_app: wished.saas_app.unwrap_or(false),
        application_token_lifetime_secs: None,
        user_token_lifetime_secs: None,
        refresh_token_lifetime_secs: None,
        is_portal_application: false,
        additional_properties: serde_json::Map::new(),
    };
    response(clients::register(service, registration).await?)
}

async fn authenticate(service: &KeyManagerService, request: &HttpRequest, realm: &Realm) -> Result<User, OAuthError> {
    let credentials = basic::credentials(request).ok().flatten().ok_or(OAuthError::Unauthenticated)?;
    let user = service.users.authenticate(&realm.login(&credentials.name), &credentials.password).await?;
    user.filter(|user| realm.permits(&user.organization)).ok_or(OAuthError::Unauthenticated)
}

/// The owner's name without tenant: the caller, or for an administrator any user of the own tenant.
async fn owner(service: &KeyManagerService, caller: &User, wished: Option<&str>) -> Result<String, OAuthError> {
    let wished = wished.map(str::trim).filter(|name| !name.is_empty());
    let Some(name) = wished.map(|name| without_tenant(name, &caller.organization)) else {
        return Ok(caller.username.clone());
    };
    if name == caller.username {
        return Ok(caller.username.clone());
    }
    if !caller.has_role(role::ADMIN) {
        return Err(OAuthError::Forbidden("only an administrator may register a client for another owner"));
    }
    if service.users.find(name, &caller.organization).await?.is_none() {
        return Err(OAuthError::InvalidClientMetadata("owner: there is no such user".to_owned()));
    }
    Ok(name.to_owned())
}

fn without_tenant<'a>(name: &'a str, organization: &Organization) -> &'a str {
    match name.rsplit_once('@') {
        Some((name, tenant)) if tenant == organization.as_str() => name,
        _ => name,
    }
}

fn response(registered: RegisteredClient) -> Result<RegistrationResponseDto, OAuthError> {
    let RegisteredClient { client, secret } = registered;
    let json_string = serde_json::to_string(&JsonStringDto {
        grant_types: client.grant_types.join(" "),
        redirect_uris: &client.callback_url,
        client_name: &client.name,
    })
    .map_err(OAuthError::internal)?;
    Ok(RegistrationResponseDto {
        client_id: client.id,
        client_name: client.name,
        callback_url: client.callback_url,
        client_secret: secret.map(|secret| secret.expose().clone()),
        is_saas_application: client.is_saas_app,
        app_owner: domain::user::qualified_name(&client.owner, &client.organization),
        json_string,
        json_app_attribute: "{}",
        token_type: None,
    })
}
