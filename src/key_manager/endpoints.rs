//! The key manager's HTTP endpoints.

mod discovery;
pub(crate) mod internal;
mod introspect;
mod jwks;
pub(crate) mod realm;
mod register;
mod revoke;
mod token;
mod userinfo;

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use http::problem::Problem;
use http::raw_body::RawBody;
use serde::Serialize;

use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::service::KeyManagerService;

/// Paths for the discovery document and the routes.
pub(crate) mod path {
    pub(crate) const INTROSPECT: &str = "/oauth2/introspect";
    pub(crate) const JWKS: &str = "/oauth2/jwks";
    pub(crate) const REGISTER: &str = "/client-registration/v0.17/register";
    pub(crate) use domain::oauth::path::{REVOKE, TOKEN, USERINFO};
    /// Before a tenant's form of the paths above.
    pub(crate) const TENANT: &str = "/t/{tenant}";
    /// Below the issuer (OpenID Connect Discovery section 4).
    pub(crate) const OPENID_CONFIGURATION: &str = "/oauth2/token/.well-known/openid-configuration";
    /// Before the issuer's path (RFC 8414 section 3).
    pub(crate) const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server/oauth2/token";
}

/// What handlers get.
pub(crate) type Service = Data<KeyManagerService>;

/// A request body, or why it could not be read.
pub(crate) type Body = Result<RawBody, Problem>;

/// Mounts the endpoints at the root of an application.
pub fn configure(routes: &mut ServiceConfig, key_manager: Arc<KeyManagerService>) {
    let service = Service::from(key_manager);
    routes.app_data(service.clone());
    let resource = |path: &str| web::resource(path.to_owned()).app_data(service.clone());
    routes.service(resource(path::AUTHORIZATION_SERVER).route(web::get().to(discovery::metadata))).service(
        resource(&path::AUTHORIZATION_SERVER.replace("/oauth2/", "/t/{tenant}/oauth2/"))
            .route(web::get().to(discovery::metadata)),
    );
    for prefix in ["", path::TENANT] {
        let resource = |path: &str| resource(&format!("{prefix}{path}"));
        routes
            .service(resource(path::REGISTER).route(web::post().to(register::register)))
            .service(resource(path::TOKEN).route(web::post().to(token::token)))
            .service(resource(path::REVOKE).route(web::post().to(revoke::revoke)))
            .service(resource(path::INTROSPECT).route(web::post().to(introspect::introspect)))
            .service(resource(path::JWKS).route(web::get().to(jwks::jwks)))
            .service(
                resource(path::USERINFO)
                    .route(web::get().to(userinfo::userinfo))
                    .route(web::post().to(userinfo::userinfo)),
            )
            .service(resource(path::OPENID_CONFIGURATION).route(web::get().to(discovery::metadata)));
    }
}

/// The parameters of a form or JSON request.
fn parameters(request: &HttpRequest, body: Body) -> Result<Parameters, OAuthError> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Parameters::parse(content_type, &body?.0)
}

/// 200 with a body that nobody may keep (RFC 6749 section 5.1), or the error's answer.
fn answer<T: Serialize>(service: &KeyManagerService, outcome: Result<T, OAuthError>) -> HttpResponse {
    match outcome {
        Ok(body) => {
            HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache")).json(body)
        }
        Err(error) => {
            service.metrics.refused(error.code());
            error.response(&service.realm)
        }
    }
}
