//! What the hub offers to other nodes: the logs, snapshots and acknowledgements, and membership of the cluster; and to
//! tools that pull ([`data`]).
//!
//! Handlers need the app data `web::Data<HubService>` and `web::Data<Admission>`.

pub mod data;
mod hub;
mod nodes;

use domain::internal_api;
use http::node_service;
use http::routes::Routes;
use tokio_util::sync::CancellationToken;

use crate::hub::EventHub;
pub use nodes::Admission;

node_service! {
    EventHubService = domain::node::service::EVENT_HUB;
    NodeTokens = domain::node::service::NODE_TOKENS;
    Leases = domain::node::service::LEASES;
}

/// The hub behind the routes.
pub struct HubService {
    pub hub: EventHub,
    /// Ends questions that are held open, so that the node can drain.
    pub draining: CancellationToken,
}

/// The operations for nodes.
#[must_use]
pub fn routes() -> Vec<Routes> {
    use internal_api::{hub as hub_api, nodes as nodes_api};
    vec![
        Routes::new(hub_api::BASE)
            .post(hub_api::HEAD, hub::head)
            .post(hub_api::FETCH, hub::fetch)
            .post(hub_api::HEARTBEAT, hub::heartbeat)
            .post(hub_api::ACKNOWLEDGE, hub::acknowledge)
            .post(hub_api::SNAPSHOT, hub::snapshot)
            .post(hub_api::ARTIFACT, hub::artifact),
        Routes::new(nodes_api::BASE)
            .post(nodes_api::ENROL, nodes::enrol)
            .post(nodes_api::TRAFFIC_MANAGER, nodes::traffic_manager),
    ]
}
