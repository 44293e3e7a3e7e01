//! Metadata of the authorization server (RFC 8414, OpenID Connect Discovery). It names only what is served.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse};
use domain::tenant;
use serde::Serialize;

use super::realm::Realm;
use super::{Service, path};
use crate::client_auth;
use crate::grants::GrantType;

#[derive(Serialize)]
struct MetadataDto {
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    grant_types_supported: [&'static str; 3],
    /// Required, and empty: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
}

pub(super) async fn metadata(service: Service, request: HttpRequest) -> HttpResponse {
    let realm = match Realm::of(&service, &request).await {
        Ok(realm) => realm,
        Err(error) => return super::answer::<()>(&service, Err(error)),
    };
    let organization = realm.organization();
    let url = |path: &str| format!("{}{}{path}", service.resident.public_url, tenant::path_prefix(&organization));
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=60")).json(MetadataDto {
        issuer: service.signing.issuer_of(&organization),
        token_endpoint: url(path::TOKEN),
        revocation_endpoint: url(path::REVOKE),
        introspection_endpoint: url(path::INTROSPECT),
        userinfo_endpoint: url(path::USERINFO),
        jwks_uri: url(path::JWKS),
        grant_types_supported: GrantType::ALL.map(GrantType::as_str),
        response_types_supported: [],
        token_endpoint_auth_methods_supported: client_auth::METHODS,
        revocation_endpoint_auth_methods_supported: client_auth::METHODS,
        introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
    })
}
