//! Metadata of the authorization server (RFC 8414, OpenID Connect Discovery). It names only what is served.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use serde::Serialize;

use super::{Service, path};
use crate::client_auth;
use crate::grants::GrantType;

#[derive(Serialize)]
struct MetadataDto<'a> {
    issuer: &'a str,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    grant_types_supported: [&'static str; 3],
    /// Required, and empty: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
}

pub(super) async fn metadata(service: Service) -> HttpResponse {
    let url = |path: &str| format!("{}{path}", service.base_url);
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=60")).json(MetadataDto {
        issuer: &service.issuer,
        token_endpoint: url(path::TOKEN),
        revocation_endpoint: url(path::REVOKE),
        introspection_endpoint: url(path::INTROSPECT),
        jwks_uri: url(path::JWKS),
        grant_types_supported: GrantType::ALL.map(GrantType::as_str),
        response_types_supported: [],
        token_endpoint_auth_methods_supported: client_auth::METHODS,
        revocation_endpoint_auth_methods_supported: client_auth::METHODS,
        introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
    })
}
