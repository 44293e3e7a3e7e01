//! Who may call an operation, said in the type of the handler's first argument: [`Guarded`], [`OptionallyAuthenticated`],
//! [`FromNode`], [`FromOperator`] or [`Public`].

mod node;
mod operator;

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::contract::{AuthenticationError, Authenticator};
use domain::oauth::Principal;
use domain::{Organization, Secret, error_code, tenant};
use telemetry::error_chain::ErrorChain;

use crate::problem::Problem;
use crate::query;

/// Longest `Authorization` header that is looked at.
const AUTHORIZATION_BYTES_MAX: usize = 16 * 1024;

/// Where a request names the tenant whose data it wants to see.
const TENANT_HEADER: &str = "X-WSO2-Tenant";
const TENANT_PARAMETER: &str = "requestedTenant";

/// A set of scopes of which a caller needs one; made with [`required_scopes!`](crate::required_scopes).
pub trait RequiredScopes: 'static {
    const ANY_OF: &'static [&'static str];
}

/// Declares scope sets: `required_scopes! { pub ApiView = ["apim:api_view", "apim:api_manage"]; }`.
#[macro_export]
macro_rules! required_scopes {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = [$($scope:expr),+ $(,)?];)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $visibility enum $name {}

        impl $crate::guard::RequiredScopes for $name {
            const ANY_OF: &'static [&'static str] = &[$($scope),+];
        }
    )*};
}

pub use crate::{node_service, required_scopes};
pub use node::{FromNode, NodeService};
pub use operator::FromOperator;

/// What a guard asks of a caller, as a value for lists and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// One of these scopes.
    Scopes(&'static [&'static str]),
    /// Credentials are optional, but must be right when sent.
    Optional,
    /// The token of a node with this service.
    Node(&'static str),
    /// The password of a user who runs the deployment or a tenant, or the token of a node with this service.
    Operator(&'static str),
    /// Nothing; the handler does its own checks, if any.
    Public,
}

/// A first argument of a handler.
pub trait Guard: FromRequest<Error = Problem> + 'static {
    const ACCESS: Access;
}

/// The caller, known and with one of the scopes of `S`: 401 without credentials or with wrong ones, 403 without scope.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    principal: Principal,
    scopes: PhantomData<S>,
}

/// The caller when it sent credentials (401 when they are wrong), else nobody; and the tenant that it wants to look at.
#[derive(Debug, Clone)]
pub struct OptionallyAuthenticated {
    principal: Option<Principal>,
    requested: Option<Organization>,
}

/// Anybody.
#[derive(Debug, Clone, Copy)]
pub struct Public;

impl<S> Guarded<S> {
    #[must_use]
    pub fn into_principal(self) -> Principal {
        self.principal
    }
}

impl<S> Deref for Guarded<S> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl OptionallyAuthenticated {
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The organization that is looked at: the one that the request names, else the caller's own, for nobody the super
    /// tenant. To whom an answer belongs is told by [`Self::principal`]: a caller of another organization is a stranger.
    #[must_use]
    pub fn organization(&self) -> Organization {
        let own = || self.principal.as_ref().map(|principal| principal.organization.clone());
        self.requested.clone().or_else(own).unwrap_or_else(Organization::super_tenant)
    }
}

impl<S: RequiredScopes> Guard for Guarded<S> {
    const ACCESS: Access = Access::Scopes(S::ANY_OF);
}

impl Guard for OptionallyAuthenticated {
    const ACCESS: Access = Access::Optional;
}

impl Guard for Public {
    const ACCESS: Access = Access::Public;
}

impl<S: RequiredScopes> FromRequest for Guarded<S> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = authenticate(&request).await?.ok_or_else(Problem::unauthenticated)?;
            if !principal.has_any_scope(S::ANY_OF) {
                return Err(Problem::missing_scope(S::ANY_OF));
            }
            // Looked at after the scopes: a stranger learns no more under a tenant's path than elsewhere.
            let path_tenant = path_tenant(&request);
            if path_tenant.is_some_and(|organization| organization != principal.organization) {
                return Err(Problem::new(error_code::FORBIDDEN, "The path names another tenant than the caller's own"));
            }
            Ok(Self { principal, scopes: PhantomData })
        })
    }
}

impl FromRequest for OptionallyAuthenticated {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = authenticate(&request).await?;
            Ok(Self { principal, requested: requested_tenant(&request)? })
        })
    }
}

impl FromRequest for Public {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

/// The tenant under whose path a REST API was called, in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct PathTenant(pub Organization);

fn path_tenant(request: &HttpRequest) -> Option<Organization> {
    request.extensions().get::<PathTenant>().map(|tenant| tenant.0.clone())
}

/// The tenant in the path, else in the header `X-WSO2-Tenant` or the parameter `requestedTenant`; empty ones count as absent.
fn requested_tenant(request: &HttpRequest) -> Result<Option<Organization>, Problem> {
    if let Some(organization) = path_tenant(request) {
        return Ok(Some(organization));
    }
    let parse = |name: &'static str, text: &str| {
        tenant::parse_domain(name, text.trim()).map(Some).map_err(|error| Problem::invalid(name, error.rule))
    };
    if let Some(header) = request.headers().get(TENANT_HEADER).filter(|header| !header.is_empty()) {
        return parse(TENANT_HEADER, header.to_str().unwrap_or("?"));
    }
    match query::pairs(request.query_string()).into_iter().find(|(name, _)| name == TENANT_PARAMETER) {
        Some((_, domain)) => parse(TENANT_PARAMETER, &domain),
        None => Ok(None),
    }
}

/// What a caller sent to prove who it is.
enum Credentials {
    Bearer(Secret<String>),
    Basic { username: String, password: Secret<String> },
}

/// The caller; `None` when it sent no credentials at all.
async fn authenticate(request: &HttpRequest) -> Result<Option<Principal>, Problem> {
    let Some(credentials) = read_credentials(request)? else { return Ok(None) };
    let Some(authenticator) = request.app_data::<web::Data<dyn Authenticator>>() else {
        return Err(Problem::internal(&NoAuthenticator));
    };
    let authenticator = Arc::clone(authenticator);
    let outcome = match &credentials {
        Credentials::Bearer(token) => authenticator.bearer(token).await,
        Credentials::Basic { username, password } => authenticator.basic(username, password).await,
    };
    outcome.map(Some).map_err(|error| match error {
        AuthenticationError::Refused(reason) => {
            tracing::debug!(reason, "credentials of a management call are refused");
            Problem::unauthenticated()
        }
        AuthenticationError::Busy => Problem::busy(1),
        AuthenticationError::Unavailable(cause) => {
            tracing::error!(error = %ErrorChain(cause.as_ref()), "credentials cannot be checked");
            Problem::busy(1)
        }
    })
}

fn read_credentials(request: &HttpRequest) -> Result<Option<Credentials>, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    // Two headers leave open which one counts.
    if headers.next().is_some() || header.len() > AUTHORIZATION_BYTES_MAX {
        return Err(Problem::unauthenticated());
    }
    header.to_str().ok().and_then(parse_credentials).map(Some).ok_or_else(Problem::unauthenticated)
}

/// RFC 6750 section 2.1 and RFC 7617 section 2; scheme names in any case.
fn parse_credentials(header: &str) -> Option<Credentials> {
    let (scheme, value) = header.trim().split_once(' ')?;
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Bearer(Secret::new(value.to_owned())));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Secret::new(String::from_utf8(STANDARD.decode(value).ok()?).ok()?);
    let (username, password) = pair.expose().split_once(':')?;
    Some(Credentials::Basic { username: username.to_owned(), password: Secret::new(password.to_owned()) })
}

#[derive(Debug, thiserror::Error)]
#[error("the server was built without an authenticator")]
struct NoAuthenticator;

#[cfg(test)]
mod tests {
    use actix_web::test;

    use super::*;
    use crate::routes::Routes;
    use crate::testing::{app, body, get, get_with};

    required_scopes! {
        ReadPizza = ["pizza:read", "pizza:manage"];
    }

    async fn read(user: Guarded<ReadPizza>) -> String {
        user.username.clone()
    }

    async fn greet(user: OptionallyAuthenticated) -> String {
        user.principal().map_or("nobody", |user| user.username.as_str()).to_owned()
    }

    async fn public(_: Public) -> &'static str {
        "hello"
    }

    fn routes() -> Routes {
        Routes::new("/pizza").get("/read", read).get("/greet", greet).get("/public", public)
    }

    #[actix_web::test]
    async fn a_guarded_operation_takes_a_token_or_a_password_with_the_scope() {
        let app = app(routes()).await;
        assert_eq!(get_with(&app, "/pizza/read", "Bearer reader").await, (200, "reader".to_owned()));
        assert_eq!(get_with(&app, "/pizza/read", "bearer  reader").await, (200, "reader".to_owned()));
        // anna:secret
        assert_eq!(get_with(&app, "/pizza/read", "Basic YW5uYTpzZWNyZXQ=").await, (200, "anna".to_owned()));
    }

    #[actix_web::test]
    async fn without_right_credentials_a_guarded_operation_answers_401() {
        let app = app(routes()).await;
        assert_eq!(get(&app, "/pizza/read").await.0, 401);
        for header in ["Bearer revoked", "Bearer", "Basic YW5uYTp3cm9uZw==", "Basic %%%", "Digest abc", ""] {
            let (status, text) = get_with(&app, "/pizza/read", header).await;
            assert_eq!(status, 401, "{header}");
            assert!(text.contains("\"description\":\"Unauthenticated request\""), "{text}");
        }
    }

    #[actix_web::test]
    async fn without_the_scope_a_guarded_operation_answers_403_and_names_the_scopes() {
        let app = app(routes()).await;
        let (status, text) = get_with(&app, "/pizza/read", "Bearer stranger").await;
        assert_eq!(status, 403);
        assert!(text.contains("pizza:read, pizza:manage"), "{text}");
    }

    #[actix_web::test]
    async fn two_authorization_headers_are_refused() {
        let app = app(routes()).await;
        let request = test::TestRequest::get()
            .uri("/pizza/read")
            .append_header(("authorization", "Bearer reader"))
            .append_header(("authorization", "Bearer stranger"));
        assert_eq!(body(&app, request).await.0, 401);
    }

    #[actix_web::test]
    async fn optional_credentials_may_be_absent_but_not_wrong() {
        let app = app(routes()).await;
        assert_eq!(get(&app, "/pizza/greet").await, (200, "nobody".to_owned()));
        assert_eq!(get_with(&app, "/pizza/greet", "Bearer reader").await, (200, "reader".to_owned()));
        assert_eq!(get_with(&app, "/pizza/greet", "Bearer revoked").await.0, 401);
        assert_eq!(get_with(&app, "/pizza/public", "Bearer revoked").await.0, 200);
    }

    #[actix_web::test]
    async fn a_busy_authenticator_answers_503() {
        let app = app(routes()).await;
        assert_eq!(get_with(&app, "/pizza/read", "Bearer busy").await.0, 503);
    }
}
