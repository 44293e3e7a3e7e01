//! Who may look into a gateway: a user with the role of an administrator or an operator, by name and password.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::contract::{PasswordChecker, UserStoreError};
use domain::user::{User, role};
use domain::{Secret, error_code};
use http::guard::{Access, Guard};
use http::problem::Problem;
use telemetry::error_chain::ErrorChain;

/// Longest `Authorization` header that is looked at.
const AUTHORIZATION_BYTES_MAX: usize = 4096;

/// The caller. Bearer tokens are not taken: this API has no scopes.
pub(super) struct Operator(pub User);

impl Guard for Operator {
    const ACCESS: Access = Access::Public;
}

impl FromRequest for Operator {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let credentials = credentials(request);
        let users = request.app_data::<web::Data<dyn PasswordChecker>>().map(|users| Arc::clone(users));
        Box::pin(async move {
            let (username, password) = credentials.ok_or_else(Problem::unauthenticated)?;
            let users = users.ok_or_else(|| Problem::busy(1))?;
            let user = users.authenticate(&username, &password).await.map_err(|error| match error {
                UserStoreError::Busy => Problem::busy(1),
                UserStoreError::Unavailable(cause) => {
                    tracing::error!(error = %ErrorChain(cause.as_ref()), "a password cannot be checked");
                    Problem::busy(1)
                }
            })?;
            let user = user.ok_or_else(Problem::unauthenticated)?;
            if !user.has_role(role::ADMIN) && !user.has_role(role::DEVOPS) {
                let reason = format!("the role {} or {} is needed", role::ADMIN, role::DEVOPS);
                return Err(Problem::new(error_code::FORBIDDEN, reason));
            }
            Ok(Self(user))
        })
    }
}

/// RFC 7617 section 2.
fn credentials(request: &HttpRequest) -> Option<(String, Secret<String>)> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().filter(|header| header.len() <= AUTHORIZATION_BYTES_MAX)?;
    // Two headers leave open which one counts.
    if headers.next().is_some() {
        return None;
    }
    let (scheme, value) = header.to_str().ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Secret::new(String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?);
    let (username, password) = pair.expose().split_once(':')?;
    Some((username.to_owned(), Secret::new(password.to_owned())))
}
