//! Operations for other nodes of the deployment: [`FromNode`] as the handler's first argument.

use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use domain::contract::{AuthenticationError, NodeAuthenticator};
use domain::node::NodeIdentity;
use telemetry::error_chain::ErrorChain;

use super::{Access, Credentials, Guard, NoAuthenticator, read_credentials};
use crate::problem::Problem;

/// One of the services of [`domain::node::service`]; made with [`node_service!`](crate::node_service).
pub trait NodeService: 'static {
    const NAME: &'static str;
}

/// Declares a service: `node_service! { pub EventHub = domain::node::service::EVENT_HUB; }`.
#[macro_export]
macro_rules! node_service {
    ($($visibility:vis $name:ident = $service:expr;)*) => {$(
        #[derive(Debug, Clone, Copy)]
        $visibility enum $name {}

        impl $crate::guard::NodeService for $name {
            const NAME: &'static str = $service;
        }
    )*};
}

/// A node whose token is good for the service `S`: 401 for any other caller.
#[derive(Debug, Clone)]
pub struct FromNode<S> {
    identity: NodeIdentity,
    service: PhantomData<S>,
}

impl<S> Deref for FromNode<S> {
    type Target = NodeIdentity;

    fn deref(&self) -> &NodeIdentity {
        &self.identity
    }
}

impl<S: NodeService> Guard for FromNode<S> {
    const ACCESS: Access = Access::Node(S::NAME);
}

impl<S: NodeService> FromRequest for FromNode<S> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Some(Credentials::Bearer(token)) = read_credentials(&request)? else {
                return Err(Problem::unauthenticated());
            };
            let Some(authenticator) = request.app_data::<web::Data<dyn NodeAuthenticator>>() else {
                return Err(Problem::internal(&NoAuthenticator));
            };
            let authenticator = Arc::clone(authenticator);
            match authenticator.node(&token, S::NAME).await {
                Ok(identity) => Ok(Self { identity, service: PhantomData }),
                Err(AuthenticationError::Refused(reason)) => {
                    tracing::warn!(service = S::NAME, reason, "a call from another node is refused");
                    Err(Problem::unauthenticated())
                }
                Err(AuthenticationError::Busy) => Err(Problem::busy(1)),
                Err(AuthenticationError::Unavailable(cause)) => {
                    tracing::error!(error = %ErrorChain(cause.as_ref()), "a node token cannot be checked");
                    Err(Problem::busy(1))
                }
            }
        })
    }
}
