//! A little actix application for this room's tests.

use std::sync::Arc;

use actix_http::Request;
use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, web};
use async_trait::async_trait;
use domain::contract::{AuthenticationError, Authenticator};
use domain::oauth::Principal;
use domain::{Organization, Secret};

use crate::routes::Routes;

/// Takes `Bearer reader` (with scope `pizza:read`), `Bearer reader SCOPE`, `Bearer stranger` (without scopes) and
/// `anna:secret`; `operator:secret` has a role besides.
struct FakeAuthenticator;

fn principal(username: &str, scope: &str) -> Principal {
    Principal {
        username: username.to_owned(),
        organization: Organization::super_tenant(),
        roles: Vec::new(),
        scopes: vec![scope.to_owned()],
        client_id: None,
    }
}

#[async_trait]
impl Authenticator for FakeAuthenticator {
    async fn bearer(&self, token: &Secret<String>) -> Result<Principal, AuthenticationError> {
        match token.expose().split_once(' ') {
            Some((username, scope)) => Ok(principal(username, scope)),
            None => match token.expose().as_str() {
                "reader" => Ok(principal("reader", "pizza:read")),
                "stranger" => Ok(principal("stranger", "other")),
                "busy" => Err(AuthenticationError::Busy),
                _ => Err(AuthenticationError::Refused("unknown token")),
            },
        }
    }

    async fn basic(&self, username: &str, password: &Secret<String>) -> Result<Principal, AuthenticationError> {
        if password.matches(b"secret") {
            let roles = if username == "operator" { vec![domain::user::role::DEVOPS.to_owned()] } else { Vec::new() };
            return Ok(Principal { roles, ..principal(username, "pizza:read") });
        }
        Err(AuthenticationError::Refused("wrong password"))
    }
}

pub(crate) async fn app(routes: Routes) -> impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> {
    let authenticator: Arc<dyn Authenticator> = Arc::new(FakeAuthenticator);
    test::init_service(App::new().app_data(web::Data::from(authenticator)).configure(|cfg| routes.configure(cfg))).await
}

/// Status and text of the answer.
pub(crate) async fn body(
    app: &impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    request: TestRequest,
) -> (u16, String) {
    let response = test::call_service(app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(test::read_body(response).await.to_vec()).unwrap())
}

pub(crate) async fn get(
    app: &impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    path: &str,
) -> (u16, String) {
    body(app, TestRequest::get().uri(path)).await
}

pub(crate) async fn get_with(
    app: &impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    path: &str,
    authorization: &str,
) -> (u16, String) {
    body(app, TestRequest::get().uri(path).insert_header(("authorization", authorization))).await
}
