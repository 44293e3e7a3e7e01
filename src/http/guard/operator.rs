//! Operations for tools that work for an operator, and for nodes: [`FromOperator`] as the handler's first argument.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::user::role;
use domain::{Organization, error_code};

use super::{Access, Credentials, FromNode, Guard, NodeService, authenticate, read_credentials};
use crate::problem::Problem;

/// A user with the role of an administrator or an operator, by name and password, or a node whose token is good for the
/// service `S`: 401 for anybody else, 403 for a user without such a role. Access tokens are not taken: there are no
/// scopes that could allow so much.
#[derive(Debug, Clone)]
pub struct FromOperator<S> {
    /// `None` for a node.
    organization: Option<Organization>,
    service: PhantomData<S>,
}

impl<S> FromOperator<S> {
    /// Whose operator calls; nodes belong to the deployment and thus to the super tenant.
    #[must_use]
    pub fn organization(&self) -> Organization {
        self.organization.clone().unwrap_or_else(Organization::super_tenant)
    }

    /// Whether the caller may see the data of every tenant.
    #[must_use]
    pub fn sees_all_tenants(&self) -> bool {
        self.organization().is_super()
    }
}

impl<S: NodeService> Guard for FromOperator<S> {
    const ACCESS: Access = Access::Operator(S::NAME);
}

impl<S: NodeService> FromRequest for FromOperator<S> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let organization = match read_credentials(&request)? {
                None => return Err(Problem::unauthenticated()),
                Some(Credentials::Bearer(_)) => {
                    FromNode::<S>::from_request(&request, &mut Payload::None).await?;
                    None
                }
                Some(Credentials::Basic { .. }) => Some(operator(&request).await?),
            };
            Ok(Self { organization, service: PhantomData })
        })
    }
}

async fn operator(request: &HttpRequest) -> Result<Organization, Problem> {
    let user = authenticate(request).await?.ok_or_else(Problem::unauthenticated)?;
    let needed = [role::ADMIN, role::DEVOPS];
    if !user.roles.iter().any(|own| needed.contains(&own.as_str())) {
        return Err(Problem::new(error_code::FORBIDDEN, format!("the role {} is needed", needed.join(" or "))));
    }
    Ok(user.organization)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::node_service;
    use crate::routes::Routes;
    use crate::testing::{app, get, get_with};

    node_service! {
        Kitchen = "kitchen";
    }

    async fn look(caller: FromOperator<Kitchen>) -> String {
        format!("{} {}", caller.organization(), caller.sees_all_tenants())
    }

    #[actix_web::test]
    async fn only_operators_by_password_and_nodes_come_in() {
        let app = app(Routes::new("/pizza").get("/look", look)).await;
        assert_eq!(get(&app, "/pizza/look").await.0, 401);
        // anna:wrong, anna:secret (without a role), and the password of an operator.
        assert_eq!(get_with(&app, "/pizza/look", "Basic YW5uYTp3cm9uZw==").await.0, 401);
        let (status, text) = get_with(&app, "/pizza/look", "Basic YW5uYTpzZWNyZXQ=").await;
        assert_eq!(status, 403);
        assert!(text.contains("admin or Internal/devops"), "{text}");
        let operator = "Basic b3BlcmF0b3I6c2VjcmV0";
        assert_eq!(get_with(&app, "/pizza/look", operator).await, (200, "carbon.super true".to_owned()));
        // An access token, whatever its scopes are: there is no authenticator of nodes here that could take it.
        assert_ne!(get_with(&app, "/pizza/look", "Bearer reader").await.0, 200);
    }
}
