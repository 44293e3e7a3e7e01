//! Membership of the cluster: tokens and certificates for nodes.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use config::sections::cluster::Cluster;
use domain::internal_api::nodes::{EnrolRequest, Enrolled, TrafficManagerInfo};
use domain::{Clock, error_code};
use http::answer;
use http::guard::FromNode;
use http::json::JsonBody;
use http::problem::Problem;
use security::cluster::{ClusterKeys, ClusterKeysError};

use super::{Leases, NodeTokens};

/// What a traffic manager admits nodes with; clones share the keys.
#[derive(Clone)]
pub struct Admission {
    /// Replaced when the operator adds a root key.
    keys: Arc<RwLock<Arc<ClusterKeys>>>,
    token_lifetime: Duration,
    clock: Arc<dyn Clock>,
    info: TrafficManagerInfo,
}

impl Admission {
    #[must_use]
    pub fn new(keys: ClusterKeys, token_lifetime: Duration, clock: Arc<dyn Clock>, info: TrafficManagerInfo) -> Self {
        Self { keys: Arc::new(RwLock::new(Arc::new(keys))), token_lifetime, clock, info }
    }

    /// Signs with these keys from now on.
    pub fn set_keys(&self, keys: ClusterKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The keys that sign.
    #[must_use]
    pub fn keys(&self) -> Arc<ClusterKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token and a certificate for the node.
    ///
    /// # Errors
    /// When the request is no certificate request, or a role does not exist.
    pub fn admit(&self, request: &EnrolRequest) -> Result<Enrolled, ClusterKeysError> {
        let (keys, now) = (self.keys(), self.clock.now());
        let chain = keys.sign(&request.certificate_request, &request.roles, self.token_lifetime, now)?;
        let token = keys.root()?.mint_node(&request.roles, &request.node_id, self.token_lifetime, now)?;
        let expires_at = now.plus(self.token_lifetime);
        Ok(Enrolled { token: token.expose().clone(), chain, issued_at: now, expires_at })
    }
}

/// With an enrolment token a node joins, with its node token it renews.
pub async fn enrol(
    caller: FromNode<NodeTokens>,
    body: JsonBody<EnrolRequest>,
    admission: Data<Admission>,
) -> Result<HttpResponse, Problem> {
    let request = body.0;
    if let Some(reason) = Cluster::node_id_error(&request.node_id) {
        return Err(Problem::invalid("node_id", reason));
    }
    if caller.node_id.is_some() && !caller.is(&request.node_id) {
        return Err(Problem::new(error_code::FORBIDDEN, "node_id: the token is another node's"));
    }
    if let Some(role) = request.roles.iter().find(|role| !caller.roles.contains(role)) {
        return Err(Problem::new(error_code::FORBIDDEN, format!("roles: the token is not good for the role '{role}'")));
    }
    match admission.admit(&request) {
        Ok(enrolled) => {
            tracing::info!(node.id = request.node_id, node.roles = request.roles.join(","), "a node joined or renewed");
            Ok(answer::ok(enrolled))
        }
        Err(ClusterKeysError::InvalidRequest(error)) => Err(Problem::invalid("certificate_request", error)),
        Err(ClusterKeysError::Root(error)) => Err(Problem::invalid("roles", error)),
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Where this traffic manager hands out leases.
pub async fn traffic_manager(_: FromNode<Leases>, admission: Data<Admission>) -> HttpResponse {
    answer::ok(&admission.info)
}
